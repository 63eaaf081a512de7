import type { FastifyBaseLogger } from 'fastify'

type Report = (details: object, text: string) => void

/** The log of the parts that are opened before the app exists. */
export interface PartsLog { warn: Report, error: Report }

export interface LateLog extends PartsLog {
  /** Sends all later lines to `log`. */
  follow (log: FastifyBaseLogger): void
}

/** Creates a log for parts that are opened before the app has a logger. Until `follow`, lines go to `print`. */
export function lateLog (print: (text: string) => void): LateLog {
  let log: FastifyBaseLogger | null = null

  const report = (level: 'warn' | 'error'): Report => (details, text) => {
    if (log === null) print(details instanceof Error ? `${text}: ${details.message}` : text)
    else log[level](details, text)
  }

  return { warn: report('warn'), error: report('error'), follow: (follower) => { log = follower } }
}
