import { INTERNAL_ERROR, INVALID_REQUEST, UPSTREAM_ERROR, UPSTREAM_TIMEOUT } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import type { UpstreamReply } from '../../../lib/upstream-client/index.js'
import { upstreamRefusal } from '../../../lib/upstream-client/refusal.js'
import type { UpstreamErrorFields, UpstreamRefusal } from '../../../lib/upstream-client/refusal.js'

/** The form of a guest token. */
const UUID_ANYWHERE = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/
const UUID = new RegExp(`^${UUID_ANYWHERE.source}$`, 'i')

/** The error codes of DataBrain's guest-token page, except INTERNAL_SERVER_ERROR, with messages for the client. */
const REFUSALS: Readonly<Record<string, string>> = {
  AUTHENTICATION_ERROR: "The analytics service does not accept this server's API key",
  AUTHENTICATION_ERR: "The analytics service does not accept this server's API key",
  INVALID_REQUEST_BODY: 'The analytics service does not accept the request',
  CLIENT_ID_ERROR: 'The analytics service does not accept the client id',
  WORKSPACE_ID_ERROR: 'The analytics service does not know the workspace',
  DASHBOARD_PARAM_ERROR: 'The analytics service does not accept the dashboard parameters',
  APP_FILTER_PARAM_ERROR: 'The analytics service does not accept the app filters',
  RLS_SETTINGS_PARAM_ERROR: 'The analytics service does not accept the row-level security settings'
}

/**
 * Returns the token of the upstream's response. Throws a 400 if the response contains an `error`, and `UPSTREAM_ERROR`
 * for any other response without a token. The error's `upstream` contains the upstream's message without `apiKey`, for
 * the log only.
 */
export function tokenOf ({ statusCode, body }: UpstreamReply, apiKey: string): string {
  const reply = parseMembers(body)
  const { error, token } = reply
  const code = codeOf(error)
  const failed = statusCode >= 500 || statusCode === 429 || code === 'INTERNAL_SERVER_ERROR'
  // A success may carry `error: null`.
  if (error || failed || statusCode < 200 || statusCode > 299) {
    const upstream = upstreamRefusal(statusCode, upstreamErrorOf(reply), [apiKey, UUID_ANYWHERE])
    if (error && !failed) throw refusal(code, upstream)
    throw new UPSTREAM_ERROR({ reason: `the upstream failed with status ${statusCode}`, upstream })
  }
  if (typeof token !== 'string' || !UUID.test(token)) {
    throw new UPSTREAM_ERROR({ reason: "the token in the upstream's response is missing or is not a UUID" })
  }
  return token
}

/** Throws an upstream failure as `INTERNAL_ERROR`, because DataBrain documents 500 for each failure. */
export function throwAsDocumented (error: unknown): never {
  if (!(error instanceof UPSTREAM_ERROR || error instanceof UPSTREAM_TIMEOUT)) throw error
  const { reason, upstream, cause = error } = error
  throw new INTERNAL_ERROR({
    cause,
    ...reason === undefined ? {} : { reason },
    ...upstream === undefined ? {} : { upstream }
  })
}

/** Returns the code and the message in an error response of DataBrain; an empty object if the body is not JSON. */
export function upstreamErrorIn (body: Buffer): UpstreamErrorFields {
  return upstreamErrorOf(parseMembers(body))
}

interface ReplyMembers extends UpstreamErrorFields {
  error?: unknown
  token?: unknown
}

function parseMembers (body: Buffer): ReplyMembers {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    return {}
  }
}

function codeOf (error: unknown): string | null {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null
}

/** Returns the upstream's error. A gateway before the upstream may send `code` and `message` at the top level. */
function upstreamErrorOf ({ error, code, message }: ReplyMembers): UpstreamErrorFields {
  if (typeof error === 'object' && error !== null) return error
  return typeof error === 'string' ? { message: error } : { code, message }
}

function refusal (code: string | null, upstream: UpstreamRefusal): GatehouseError {
  const message = code !== null && Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined
  if (code === null || message === undefined) {
    const reason = 'the upstream refused with an unknown code'
    return new INVALID_REQUEST({ message: 'The analytics service refused the request', reason, upstream })
  }
  return Object.assign(new INVALID_REQUEST({ message, reason: 'the upstream refused', upstream }), { code })
}
