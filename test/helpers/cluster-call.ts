import { Agent, request } from 'undici'

import type { ServerProcess } from './server-process.js'

export interface Called {
  status: number
  /** Of an error's envelope. */
  code: string | undefined
  body: Record<string, unknown>
}

export interface CallOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  token?: string
  body?: object
  headers?: Record<string, string>
}

const agent = new Agent({ connections: 64, pipelining: 1, keepAliveTimeout: 30_000 })

/** One JSON request on a connection that is kept; it does not hold the process. */
export async function call (
  { origin }: Pick<ServerProcess, 'origin'>,
  path: string,
  options: CallOptions = {}
): Promise<Called> {
  const { token, body, method = body === undefined ? 'GET' : 'POST', headers = {} } = options
  const reply = await request(`${origin}${path}`, {
    method,
    dispatcher: agent,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const text = await reply.body.text()
  const json = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> & { error?: { code: string } }
  return { status: reply.statusCode, code: json.error?.code, body: json }
}

/** The same, for a request that must succeed. */
export async function done (
  instance: Pick<ServerProcess, 'origin'>,
  path: string,
  options: CallOptions = {}
): Promise<Record<string, unknown>> {
  const { status, body } = await call(instance, path, options)
  if (status >= 300) throw new Error(`${options.method ?? ''} ${path}: ${status} ${JSON.stringify(body)}`)
  return body
}

export interface Pair {
  access_token: string
  refresh_token: string
}

export async function pairOf (instance: Pick<ServerProcess, 'origin'>, email: string, password: string): Promise<Pair> {
  return await done(instance, '/v1/admin/auth/login', { body: { email, password } }) as unknown as Pair
}

/** `null` for a 2xx, else the status and the code. */
export function refusalOf ({ status, code }: Called): string | null {
  return status < 300 ? null : `${status} ${code}`
}
