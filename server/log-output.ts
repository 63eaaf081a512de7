/** Number of characters that are written together: about 15 lines. */
const BATCH = 4_096
/** Maximum milliseconds for which a line waits. */
const DELAY = 100
const INFO = '{"level":30,'

/**
 * Writes log lines together, because each write is a call of the kernel (figures in bench/README.md). Lines at `info`
 * wait for at most 100 ms or until 4 KB are waiting. A line at another level, such as an error, is written immediately,
 * after the lines that wait.
 */
export class LogOutput {
  readonly #print: (lines: string) => void
  #waiting = ''
  #timer: NodeJS.Timeout | null = null

  constructor (print: (lines: string) => void) {
    this.#print = print
  }

  write (line: string): void {
    this.#waiting += line
    if (this.#waiting.length >= BATCH || !line.startsWith(INFO)) this.flushSync()
    else this.#timer ??= setTimeout(() => this.flushSync(), DELAY).unref()
  }

  /** Writes the waiting lines. pino calls this method after a line at `fatal`. */
  flushSync (): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const lines = this.#waiting
    this.#waiting = ''
    if (lines !== '') this.#print(lines)
  }
}

let stdout: LogOutput | undefined

/** Returns the output of the process for log lines. Lines that still wait when the process exits are written then. */
export function stdoutLog (): LogOutput {
  if (stdout !== undefined) return stdout
  const output = stdout = new LogOutput((lines) => process.stdout.write(lines))
  process.once('exit', () => output.flushSync())
  process.stdout.on('error', ignoreBrokenPipe)
  return output
}

/** The server continues when the reader of its log has ended. */
function ignoreBrokenPipe (error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
