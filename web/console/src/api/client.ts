import { ApiError, errorOf } from './errors.ts'
import type { Method, PathOf, Reply, RequestOf } from './paths.ts'
import { askAgain, askForFactor } from './prompts.ts'
import { validToken } from './tokens.ts'
import { read, send } from './transport.ts'
import type { Outgoing } from './transport.ts'

type Options = { path?: Record<string, unknown>, query?: Record<string, unknown>, body?: unknown, signal?: AbortSignal }

/** Sends a request without an access token: a login, an invitation, a reset. Throws `ApiError`. */
export async function callOpen<M extends Method, Path extends PathOf<M>> (
  method: M,
  path: Path,
  options: RequestOf<M, Path>
): Promise<Reply<M, Path>> {
  return await read(await send(outgoing(method, path, options))) as Reply<M, Path>
}

/**
 * Sends a request of the signed-in user. An expired access token is replaced and the request sent again. If the session
 * has ended, or the route needs a fresh second factor, the user is asked on top of the current page, and then the
 * request continues: nothing that was entered is lost. Throws `ApiError`.
 *
 * @example
 * const { data } = await call('get', 'sources', { query: { limit: 20 } })
 * await call('delete', 'sources/{id}', { path: { id } })
 */
export async function call<M extends Method, Path extends PathOf<M>> (
  method: M,
  path: Path,
  options: RequestOf<M, Path>
): Promise<Reply<M, Path>> {
  return await read(await sendSigned(outgoing(method, path, options))) as Reply<M, Path>
}

/** As `call`, for a response that is no JSON: an export or a stream. */
export async function sendSigned (request: Outgoing): Promise<Response> {
  let refused: string | undefined
  for (let attempt = 0; ; attempt++) {
    const token = await validToken(refused) ?? await askAgain()
    const response = await send({ ...request, headers: { ...request.headers, Authorization: `Bearer ${token}` } })
    if (response.status !== 401 || attempt === 3) return response
    if (needsFactor(response)) {
      if (!await askForFactor()) throw await errorOf(response)
      continue
    }
    // A wrong password in the body is also 401; only a refused token is worth a refresh.
    const error = await errorOf(response.clone())
    if (!TOKEN_ERRORS.has(error.code)) return response
    if (refused === token) throw new ApiError(error.message, error)
    refused = token
  }
}

const TOKEN_ERRORS = new Set(['UNAUTHORIZED', 'INVALID_TOKEN', 'EXPIRED_TOKEN'])

/** RFC 9470: the route asks for a second factor that the user has just proved. */
function needsFactor ({ headers }: Response): boolean {
  return headers.get('www-authenticate')?.includes('insufficient_user_authentication') ?? false
}

function outgoing (method: string, template: string, options: unknown): Outgoing {
  const { path = {}, query, body, signal } = options as Options
  return {
    method,
    path: template.replace(/\{(\w+)\}/g, (_match, name: string) => encodeURIComponent(String(path[name]))),
    query,
    body,
    signal
  }
}
