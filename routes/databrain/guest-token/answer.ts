import { INTERNAL_ERROR, INVALID_REQUEST, UPSTREAM_ERROR, UPSTREAM_TIMEOUT } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import type { UpstreamReply } from '../../../lib/upstream-client/index.js'
import { upstreamRefusal } from '../../../lib/upstream-client/refusal.js'
import type { UpstreamFault, UpstreamRefusal } from '../../../lib/upstream-client/refusal.js'

/** The form of a guest token. */
const UUID_ANYWHERE = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/
const UUID = new RegExp(`^${UUID_ANYWHERE.source}$`, 'i')

/** The codes of DataBrain's guest-token page, except INTERNAL_SERVER_ERROR, which is a failure. The messages are ours. */
const REFUSALS: Readonly<Record<string, string>> = {
  AUTHENTICATION_ERROR: 'The analytics service does not accept this server\'s API key',
  AUTHENTICATION_ERR: 'The analytics service does not accept this server\'s API key',
  INVALID_REQUEST_BODY: 'The analytics service does not accept the request',
  CLIENT_ID_ERROR: 'The analytics service does not accept the client id',
  WORKSPACE_ID_ERROR: 'The analytics service does not know the workspace',
  DASHBOARD_PARAM_ERROR: 'The analytics service does not accept the dashboard parameters',
  APP_FILTER_PARAM_ERROR: 'The analytics service does not accept the app filters',
  RLS_SETTINGS_PARAM_ERROR: 'The analytics service does not accept the row-level security settings'
}

/**
 * Returns the token of the upstream's reply. Throws a 400 for its `error`, and `UPSTREAM_ERROR` for everything else.
 * The error's `upstream` contains what the upstream said, without `apiKey`, for the log; the caller does not learn it.
 */
export function tokenOf ({ statusCode, body }: UpstreamReply, apiKey: string): string {
  const reply = members(body)
  const { error, token } = reply
  const code = codeOf(error)
  const failed = statusCode >= 500 || statusCode === 429 || code === 'INTERNAL_SERVER_ERROR'
  // A success may carry `error: null`.
  if (error || failed || statusCode < 200 || statusCode > 299) {
    const upstream = upstreamRefusal(statusCode, upstreamErrorOf(reply), [apiKey, UUID_ANYWHERE])
    if (error && !failed) throw refusal(code, upstream)
    throw new UPSTREAM_ERROR({ reason: `the upstream failed with status ${statusCode}`, upstream })
  }
  if (typeof token !== 'string' || !UUID.test(token)) throw new UPSTREAM_ERROR({ reason: 'the upstream sent no token that is a UUID' })
  return token
}

/** A failure of the upstream as the product documents it: 500, whatever it was. Throws. */
export function asDocumented (error: unknown): never {
  if (!(error instanceof UPSTREAM_ERROR || error instanceof UPSTREAM_TIMEOUT)) throw error
  const { reason, upstream, cause = error } = error
  throw new INTERNAL_ERROR({
    cause, ...reason === undefined ? {} : { reason }, ...upstream === undefined ? {} : { upstream }
  })
}

/** What a refusal of DataBrain's says; nothing where it is no JSON. */
export function faultIn (body: Buffer): UpstreamFault {
  return upstreamErrorOf(members(body))
}

interface ReplyMembers extends UpstreamFault { error?: unknown, token?: unknown }

function members (body: Buffer): ReplyMembers {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    return {}
  }
}

function codeOf (error: unknown): string | null {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : null
}

/** The upstream's error; a gateway in front of it may put its own at the top of the reply. */
function upstreamErrorOf ({ error, code, message }: ReplyMembers): UpstreamFault {
  if (typeof error === 'object' && error !== null) return error
  return typeof error === 'string' ? { message: error } : { code, message }
}

function refusal (code: string | null, upstream: UpstreamRefusal): GatehouseError {
  const text = code !== null && Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined
  if (code === null || text === undefined) {
    const reason = 'the upstream refused with a code that is not known'
    return new INVALID_REQUEST({ message: 'The analytics service refused the request', reason, upstream })
  }
  return Object.assign(new INVALID_REQUEST({ message: text, reason: 'the upstream refused', upstream }), { code })
}
