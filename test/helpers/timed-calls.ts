import { request } from 'undici'

export interface TimedAnswer {
  what: string
  status: number
  retryAfter: string | undefined
  /** Of an error's envelope. */
  message: string | undefined
  /** `performance.now()` when it was asked. */
  start: number
  /** Milliseconds until the whole answer was there. */
  time: number
}

/** A JSON request by its name, timed to the end of the answer; GET where there is no body. */
export async function timedCall (
  what: string,
  url: string,
  { token, body }: { token?: string, body?: string } = {}
): Promise<TimedAnswer> {
  const start = performance.now()
  const reply = await request(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' })
    },
    ...(body === undefined ? {} : { body })
  })
  const text = await reply.body.text()
  const retryAfter = reply.headers['retry-after']
  const message = /"message":"([^"]*)"/.exec(text)?.[1]
  return {
    what,
    status: reply.statusCode,
    retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
    message,
    start,
    time: Math.round(performance.now() - start)
  }
}
