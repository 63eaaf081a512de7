import type { FastifyBaseLogger } from 'fastify'

type Report = (details: object, text: string) => void

/** What the parts below the app may say. */
export interface PartsLog { warn: Report, error: Report }

export interface LateLog extends PartsLog {
  /** From now on everything goes there. */
  follow (log: FastifyBaseLogger): void
}

/** A log for what is opened before the app has one; until then its texts are lines for people. */
export function lateLog (print: (text: string) => void): LateLog {
  let log: FastifyBaseLogger | null = null

  const report = (level: 'warn' | 'error'): Report => (details, text) => {
    if (log === null) print(details instanceof Error ? `${text}: ${details.message}` : text)
    else log[level](details, text)
  }

  return { warn: report('warn'), error: report('error'), follow: (follower) => { log = follower } }
}
