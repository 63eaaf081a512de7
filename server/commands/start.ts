import { readConfig } from '../config/index.js'
import { openData } from '../open-data.js'
import type { Running } from '../start.js'

/** Milliseconds: maximum duration of a stop after its delay, and of that, the maximum for requests in flight. */
const STOP_LIMIT = 9_500
const DRAIN_LIMIT = 8_200

/** Runs the server until SIGTERM, SIGINT or an uncaught error. Further signals have no effect. */
export async function start (): Promise<void> {
  const config = readConfig(process.env)
  let running: Running | null = null
  let stopRequested = false
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
    stopRequested = true
    stop(config.limits.DRAIN_DELAY_MS)
  }

  /** The state of the process is unknown after an uncaught error, so the server drains and a supervisor restarts it. */
  function onFailure (error: unknown, origin: NodeJS.UncaughtExceptionOrigin) {
    exitCode = 1
    if (running === null) {
      console.error(error)
      process.exit(1)
    }
    running.app.log.fatal({ err: error, origin }, 'Uncaught error: the server finishes requests in flight and stops')
    stop(0)
  }

  // Handled from the beginning: a signal must not interrupt the creation of the database.
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  // Without an unhandledRejection listener, Node.js reports unhandled rejections here too.
  process.on('uncaughtException', onFailure)
  const print = (text: string) => process.stdout.write(`${text}\n`)
  // Opens the database while the other modules are imported, which takes about as long.
  const database = openData(config, print)
  database.catch(() => {})
  const { startServer } = await import('../start.js')
  running = await startServer(config, { print, database })
  if (stopRequested) onSignal()
}
