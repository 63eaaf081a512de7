import { INVALID_OPTIONS, NOT_FOUND } from '../../../lib/errors.js'
import { refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { ROLES } from '../../../contracts/token-store/index.js'
import type { IdentityProviders, ProviderKind, RoleRules } from '../../../contracts/token-store/index.js'
import type { ConfiguredProvider } from './options.js'
import type { SsoProtocol, SsoProvider } from './protocol.js'
import { settingsCheck } from './settings-check.js'

/** The roles of a provider that sets none. */
export const DEFAULT_ROLES: RoleRules = { claim: null, mapping: [], fallback: 'viewer' }

const MEMBERS: KnownOptions<ConfiguredProvider> = {
  id: true,
  orgId: true,
  name: true,
  settings: true,
  secrets: true,
  roles: true
}
const ROLE_MEMBERS: KnownOptions<RoleRules> = { claim: true, mapping: true, fallback: true }
const ID = /^[A-Za-z0-9_-]{1,64}$/
const MAX_LISTED = 100

export interface ProtocolParts {
  readonly protocol: SsoProtocol
  readonly checkSettings: ReturnType<typeof settingsCheck>
}

/** The protocols of an app, and the providers of the host and of organisations. */
export class Providers {
  readonly #store: IdentityProviders
  readonly #protocols = new Map<ProviderKind, ProtocolParts>()
  readonly #configured = new Map<string, SsoProvider>()

  constructor (store: IdentityProviders) {
    this.#store = store
  }

  /** Throws `INVALID_OPTIONS` for an invalid provider of the host. */
  add (protocol: SsoProtocol, configured: readonly ConfiguredProvider[]): void {
    const plugin = `admin-${protocol.kind}`
    const parts = { protocol, checkSettings: settingsCheck(protocol) }
    this.#protocols.set(protocol.kind, parts)
    for (const [at, entry] of configured.entries()) {
      const provider = configuredProvider(plugin, `providers[${at}]`, entry, parts)
      if (this.#configured.has(provider.id)) {
        throw new INVALID_OPTIONS(`${plugin}: two providers have the id "${provider.id}"`)
      }
      this.#configured.set(provider.id, provider)
    }
  }

  /** Returns the protocol of a kind; `null` if its plugin is not registered. */
  protocolOf (kind: ProviderKind): ProtocolParts | null {
    return this.#protocols.get(kind) ?? null
  }

  /** Returns an enabled provider. Throws `NOT_FOUND`. */
  async find (kind: ProviderKind, id: string): Promise<SsoProvider> {
    const configured = this.#configured.get(id)
    if (configured?.kind === kind) return configured
    const stored = ID.test(id) && this.#protocols.has(kind) ? await this.#store.resolve(id) : null
    if (stored === null || stored.kind !== kind || !stored.enabled) throw new NOT_FOUND()
    return stored
  }

  /** Returns whether a provider exists and is enabled. */
  async isEnabled (id: string): Promise<boolean> {
    return this.#configured.has(id) || (await this.#store.resolve(id))?.enabled === true
  }

  /** Lists the enabled providers of an organisation that a registered protocol can use; those of the host first. */
  async ofOrganisation (orgId: string): Promise<Array<Pick<SsoProvider, 'id' | 'kind' | 'name'>>> {
    const { data } = await this.#store.list(orgId, { limit: MAX_LISTED })
    const stored = data.filter(({ enabled, kind }) => enabled && this.#protocols.has(kind))
    return [...this.configured().filter((provider) => provider.orgId === orgId), ...stored].slice(0, MAX_LISTED)
  }

  /** Lists the providers of the host. */
  configured (): SsoProvider[] {
    return [...this.#configured.values()]
  }
}

function configuredProvider (
  plugin: string,
  path: string,
  entry: ConfiguredProvider,
  { protocol, checkSettings }: ProtocolParts
): SsoProvider {
  refuseUnknownMembers(plugin, `${path}.`, entry, MEMBERS)
  const { id, orgId, name, settings, secrets = [], roles = DEFAULT_ROLES } = entry
  if (typeof id !== 'string' || !ID.test(id)) {
    throw new INVALID_OPTIONS(`${plugin}: "${path}.id" must be 1 to 64 letters, digits, "-" and "_"`)
  }
  for (const [member, value] of Object.entries({ orgId, name })) {
    if (typeof value !== 'string' || value === '') {
      throw new INVALID_OPTIONS(`${plugin}: "${path}.${member}" must be a non-empty string`)
    }
  }
  assertRoles(plugin, `${path}.roles`, roles)
  try {
    const checked = checkSettings(settings, true)
    for (const secret of secrets.length === 0 ? [null] : secrets) protocol.checkSecret(secret, checked)
    return { id, orgId, kind: protocol.kind, name, settings: checked, roles, secrets }
  } catch (error) {
    const { message, details = [] } = error as Error & { details?: ReadonlyArray<{ path: string, message: string }> }
    const [detail] = details
    const at = detail === undefined ? message : `${detail.path.replaceAll('/', '.').slice(1)} ${detail.message}`
    throw new INVALID_OPTIONS(`${plugin}: "${path}": ${at}`)
  }
}

function assertRoles (plugin: string, path: string, roles: RoleRules): void {
  refuseUnknownMembers(plugin, `${path}.`, roles, ROLE_MEMBERS)
  const { claim, mapping, fallback } = roles
  const isRole = (role: unknown) => ROLES.some((known) => known === role)
  const isValid = (claim === null || (typeof claim === 'string' && claim !== '')) && Array.isArray(mapping) &&
    mapping.every(({ value, role }) => typeof value === 'string' && isRole(role)) &&
    (fallback === null || isRole(fallback))
  if (!isValid) {
    throw new INVALID_OPTIONS(
      `${plugin}: "${path}" must be { claim, mapping: [{ value, role }], fallback } with roles ${ROLES.join(', ')}`
    )
  }
}
