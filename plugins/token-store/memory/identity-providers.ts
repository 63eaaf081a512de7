import type {
  IdentityProvider, IdentityProviderPatch, IdentityProviders, NewIdentityProvider, Page, PageRequest,
  ResolvedProvider
} from '../../../contracts/token-store/index.js'
import { newProviderId, overQuota } from '../limits.js'
import { newestFirst } from './newest-first.js'

interface ProviderRecord {
  provider: IdentityProvider
  /** Newest first. */
  secrets: Array<{ value: string, expiresAt: number | null }>
  sequence: number
}

export class MemoryIdentityProviders implements IdentityProviders {
  readonly #now: () => number
  readonly #onDelete: (id: string) => void
  readonly #records = new Map<string, ProviderRecord>()
  #sequence = 0

  constructor (now: () => number, onDelete: (id: string) => void) {
    this.#now = now
    this.#onDelete = onDelete
  }

  async create ({ secret = null, quota, ...fields }: NewIdentityProvider): Promise<IdentityProvider> {
    const { orgId, kind, name, enabled, settings, roles } = fields
    if (quota !== undefined && this.#ofOrg(orgId).length >= quota) throw overQuota('identity providers', quota)
    const at = this.#now()
    const provider = structuredClone({
      id: newProviderId(),
      orgId,
      kind,
      name,
      enabled,
      settings,
      roles,
      createdAt: at,
      updatedAt: at
    })
    const secrets = secret === null ? [] : [{ value: secret, expiresAt: null }]
    this.#records.set(provider.id, { provider, secrets, sequence: ++this.#sequence })
    return structuredClone(provider)
  }

  async get (orgId: string, id: string): Promise<IdentityProvider | null> {
    const record = this.#find(orgId, id)
    return record === null ? null : structuredClone(record.provider)
  }

  async list (orgId: string, page: PageRequest): Promise<Page<IdentityProvider>> {
    const positioned = this.#ofOrg(orgId).map(({ provider, sequence }) => ({
      position: { timestamp: provider.createdAt, sequence },
      item: provider
    }))
    return newestFirst(positioned, page, (provider) => structuredClone(provider))
  }

  async update (orgId: string, id: string, patch: IdentityProviderPatch): Promise<IdentityProvider | null> {
    const record = this.#find(orgId, id)
    if (record === null) return null
    const { provider } = record
    const { name = provider.name, enabled = provider.enabled } = patch
    const { settings = provider.settings, roles = provider.roles } = patch
    Object.assign(provider, structuredClone({ name, enabled, settings, roles, updatedAt: this.#now() }))
    return structuredClone(provider)
  }

  async rotateSecret (
    orgId: string,
    id: string,
    { secret, overlapUntil }: { secret: string, overlapUntil: number }
  ): Promise<IdentityProvider | null> {
    const record = this.#find(orgId, id)
    if (record === null) return null
    const current = record.secrets.find(({ expiresAt }) => expiresAt === null)
    const previous = current !== undefined && overlapUntil > this.#now()
      ? [{ value: current.value, expiresAt: overlapUntil }]
      : []
    record.secrets = [{ value: secret, expiresAt: null }, ...previous]
    record.provider.updatedAt = this.#now()
    return structuredClone(record.provider)
  }

  async delete (orgId: string, id: string): Promise<IdentityProvider | null> {
    const record = this.#find(orgId, id)
    if (record === null) return null
    this.#records.delete(id)
    this.#onDelete(id)
    return record.provider
  }

  async resolve (id: string): Promise<ResolvedProvider | null> {
    const record = this.#records.get(id)
    if (record === undefined) return null
    const secrets = record.secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > this.#now())
    return { ...structuredClone(record.provider), secrets: secrets.map(({ value }) => value) }
  }

  #find (orgId: string, id: string): ProviderRecord | null {
    const record = this.#records.get(id)
    return record?.provider.orgId === orgId ? record : null
  }

  #ofOrg (orgId: string): ProviderRecord[] {
    return Array.from(this.#records.values()).filter(({ provider }) => provider.orgId === orgId)
  }
}
