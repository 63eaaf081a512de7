import type { ApiKeyAccess, Role } from '../../contracts/token-store/index.js'

/** An administrator who sends a request with an access token. */
export interface UserAdmin {
  readonly kind: 'user'
  /** Id of the user. */
  readonly sub: string
  readonly org_id: string
  /** The current role, which may differ from the role at the time of the token's issue. */
  readonly role: Role
  readonly email: string
  /** Id of the session. */
  readonly sid: string
  /** When the administrator last proved a second factor in this session, epoch milliseconds; `null` for never. */
  readonly mfaAt: number | null
  /** Whether the administrator has a second factor. */
  readonly hasFactor: boolean
  /** Whether the organisation requires a second factor. */
  readonly mfaRequired: boolean
  /** Id of the identity provider that started the session; `null` for none. */
  readonly providerId: string | null
}

/** An API key that sends a request. */
export interface ApiKeyAdmin {
  readonly kind: 'api_key'
  /** Id of the API key, `key_…`. */
  readonly sub: string
  readonly org_id: string
  readonly role: Role
  /** The permissions that limit the role; `null` for all permissions of the role. */
  readonly permissions: readonly string[] | null
  readonly email: null
  readonly sid: null
  readonly mfaAt: null
  /** A program has no second factor: `stepUp` of a route does not apply to it. */
  readonly hasFactor: false
  readonly mfaRequired: false
  readonly providerId: null
}

/** The administrator or the API key that sends a request. */
export type Admin = UserAdmin | ApiKeyAdmin

/** Returns the caller of a request with an API key. */
export function apiKeyAdmin ({ id, orgId, role, permissions }: ApiKeyAccess): ApiKeyAdmin {
  return {
    kind: 'api_key',
    sub: id,
    org_id: orgId,
    role,
    permissions,
    email: null,
    sid: null,
    mfaAt: null,
    hasFactor: false,
    mfaRequired: false,
    providerId: null
  }
}
