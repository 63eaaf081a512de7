import { INTERNAL_ERROR, INVALID_REQUEST, UPSTREAM_ERROR, UPSTREAM_TIMEOUT } from '../../plugins/errors.js'
import type { GatehouseError } from '../../plugins/errors.js'
import type { UpstreamReply } from '../../plugins/upstream-client.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The codes of DataBrain's guest-token page, but for its INTERNAL_SERVER_ERROR, which is a failure like any other; the texts are ours. */
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

/** The token in the upstream's answer. Throws a 400 for its `error`, and `UPSTREAM_ERROR` for everything else; no word of it is kept. */
export function tokenOf ({ statusCode, body }: UpstreamReply): string {
  const { error, token } = members(body)
  const failed = statusCode >= 500 || statusCode === 429 || codeOf(error) === 'INTERNAL_SERVER_ERROR'
  // A success may carry `error: null`.
  if (error && !failed) throw refusal(codeOf(error))
  if (statusCode < 200 || statusCode > 299) throw new UPSTREAM_ERROR({ reason: `the upstream answered ${statusCode}` })
  if (failed) throw new UPSTREAM_ERROR({ reason: 'the upstream reported an internal error' })
  if (typeof token !== 'string' || !UUID.test(token)) throw new UPSTREAM_ERROR({ reason: 'the upstream sent no token that is a UUID' })
  return token
}

/** A failure of the upstream as the product documents it: 500, whatever it was. Throws. */
export function asDocumented (error: unknown): never {
  if (!(error instanceof UPSTREAM_ERROR || error instanceof UPSTREAM_TIMEOUT)) throw error
  throw new INTERNAL_ERROR({ cause: error.cause ?? error, ...error.reason === undefined ? {} : { reason: error.reason } })
}

function members (body: Buffer): { error?: unknown, token?: unknown } {
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

function refusal (code: string | null): GatehouseError {
  const text = code !== null && Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined
  if (code === null || text === undefined) {
    return new INVALID_REQUEST({ message: 'The analytics service refused the request', reason: 'the upstream refused with a code that is not known' })
  }
  return Object.assign(new INVALID_REQUEST({ message: text, reason: 'the upstream refused' }), { code })
}
