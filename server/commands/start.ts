import { readConfig } from '../config/index.js'
import { startServer } from '../start.js'
import type { Running } from '../start.js'

/** Within which a stop must be over once its delay is, and of that, what requests in flight may take. */
const STOP_LIMIT = 9_500
const DRAIN_LIMIT = 8_200

/** Runs the server until SIGTERM, SIGINT or an error that nothing caught; a second signal changes nothing. */
export async function start (): Promise<void> {
  const config = readConfig(process.env)
  let running: Running | null = null
  let wanted = false
  let stopping = false
  let exitCode = 0

  function stop (delay: number) {
    if (stopping || running === null) return
    stopping = true
    setTimeout(() => process.exit(1), delay + STOP_LIMIT).unref()
    running.stop(DRAIN_LIMIT, delay).then(() => process.exit(exitCode), (error: unknown) => {
      console.error(error)
      process.exit(1)
    })
  }

  function onSignal () {
    wanted = true
    stop(config.limits.DRAIN_DELAY_MS)
  }

  /** After it the state of the process is unknown: it takes no new connections from now on, and a supervisor starts another one. */
  function onFailure (error: unknown, origin: NodeJS.UncaughtExceptionOrigin) {
    exitCode = 1
    if (running === null) {
      console.error(error)
      process.exit(1)
    }
    running.app.log.fatal({ err: error, origin }, 'An error that nothing caught: the server finishes the requests in flight and stops')
    stop(0)
  }

  // Taken from the first moment on: a database that is being made must not be cut off half-way.
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  // Without a listener of its own, Node.js reports an unhandled rejection here too.
  process.on('uncaughtException', onFailure)
  running = await startServer(config, { print: (text) => process.stdout.write(`${text}\n`) })
  if (wanted) onSignal()
}
