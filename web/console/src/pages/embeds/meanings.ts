import type { Reply } from '../../api/paths.ts'

export type Decision = Reply<'get', 'embeds'>['data'][number]

export const PRODUCTS: Readonly<Record<Decision['product'], string>> = {
  databrain: 'DataBrain', boldbi: 'Bold BI', dxfeed: 'dxFeed'
}

const GRANTED: Readonly<Record<Decision['product'], string>> = {
  databrain: 'A guest token was issued',
  boldbi: 'An embed query was signed',
  dxfeed: 'A widget token was issued'
}

const REFUSED: Readonly<Record<string, string>> = {
  UNAUTHORIZED: 'No user: a session, user reference or key is missing or invalid',
  FORBIDDEN: 'No permission, or a revocation',
  ORIGIN_NOT_ALLOWED: 'The page is on an origin that is not allowed',
  HTTPS_REQUIRED: 'The request came over plain http',
  CSRF_FAILED: 'The CSRF check failed',
  CAPTCHA_FAILED: 'The captcha is missing or not valid',
  INVALID_REQUEST: 'The request is not valid, for example a changed query',
  INVALID_JSON: 'The body is not JSON',
  CONFLICT: 'The nonce was used before: a replay',
  RATE_LIMITED: 'Too many requests',
  TOO_MANY_CONNECTIONS: 'Too many requests at once',
  UPSTREAM_ERROR: 'The product refused, or gave no usable response',
  UPSTREAM_TIMEOUT: 'The product did not respond in time',
  UNAVAILABLE: 'The token store did not respond',
  INTERNAL_ERROR: 'A failure of the server: its log has the reason'
}

/** What an outcome means, in a few words. */
export function meaningOf ({ product, outcome, error, details }: Decision): string {
  if (outcome === 'refused') return REFUSED[error ?? ''] ?? 'See the log of the server'
  const { requests, cached } = (details ?? {}) as Record<string, unknown>
  if (typeof requests === 'number') return `The proxy forwarded ${requests === 1 ? 'a call' : `${requests} calls`}`
  return product === 'databrain' && cached === true ? 'A guest token was given from the cache' : GRANTED[product]
}

export type Kind = 'user' | 'tenant' | 'dashboard'

/** What can be revoked, and what its id is. */
export const KINDS: Readonly<Record<Kind, { title: string, hint: string, field: `${Kind}_id`, effect: string }>> = {
  user: {
    title: 'User',
    hint: 'The id, email or client id of the user, as your server gives it to the product.',
    field: 'user_id',
    effect: 'The user gets no new embed of DataBrain, Bold BI or dxFeed'
  },
  tenant: {
    title: 'Tenant',
    hint: 'The tenant that your server names for its users: all of them are refused.',
    field: 'tenant_id',
    effect: 'No user of the tenant gets a new embed of DataBrain, Bold BI or dxFeed'
  },
  dashboard: {
    title: 'Dashboard',
    hint: 'The id or the path of a Bold BI dashboard, in any spelling: all of its users are refused.',
    field: 'dashboard_id',
    effect: 'Nobody gets this dashboard embedded any more'
  }
}
