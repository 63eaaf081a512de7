import { readConfig } from '../config.js'
import { startServer } from '../start-server.js'

/** Within which a stop must be over once its delay is, and of that, what requests in flight may take. */
const STOP_LIMIT = 9_500
const DRAIN_LIMIT = 8_200

/** Runs the server until SIGTERM or SIGINT; a second signal changes nothing. */
export async function start (): Promise<void> {
  let stopping = false
  let wanted = false
  let stop: (() => Promise<void>) | null = null
  const config = readConfig(process.env)

  function onSignal () {
    wanted = true
    if (stopping || stop === null) return
    stopping = true
    setTimeout(() => process.exit(1), config.limits.DRAIN_DELAY_MS + STOP_LIMIT).unref()
    stop().then(() => process.exit(0), (error: unknown) => {
      console.error(error)
      process.exit(1)
    })
  }

  // Taken from the first moment on: a database that is being made must not be cut off half-way.
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  const running = await startServer(config, { print: (text) => process.stdout.write(`${text}\n`) })
  stop = () => running.stop(DRAIN_LIMIT)
  if (wanted) onSignal()
}
