import type {
  Page, PageRequest, SsoDomain, SsoDomains, SsoPolicy,
  VerifiedDomain
} from '../../../contracts/token-store/index.js'
import { domainProvedElsewhere, domainTaken, newDomainId, overQuota } from '../limits.js'
import { newestFirst } from './newest-first.js'

export class MemorySsoDomains implements SsoDomains {
  readonly #now: () => number
  readonly #domains = new Map<string, { item: SsoDomain, sequence: number }>()
  #sequence = 0

  constructor (now: () => number) {
    this.#now = now
  }

  async add (
    { orgId, domain, token, quota }: { orgId: string, domain: string, token: string, quota?: number | undefined }
  ): Promise<SsoDomain> {
    const name = domain.toLowerCase()
    const own = this.#ofOrg(orgId)
    if (quota !== undefined && own.length >= quota) throw overQuota('domains', quota)
    if (own.some(({ item }) => item.domain === name)) throw domainTaken()
    const item: SsoDomain = {
      id: newDomainId(),
      orgId,
      domain: name,
      token,
      verifiedAt: null,
      sso: 'optional',
      createdAt: this.#now()
    }
    this.#domains.set(item.id, { item, sequence: ++this.#sequence })
    return { ...item }
  }

  async get (orgId: string, id: string): Promise<SsoDomain | null> {
    const item = this.#find(orgId, id)
    return item === null ? null : { ...item }
  }

  async list (orgId: string, page: PageRequest): Promise<Page<SsoDomain>> {
    const positioned = this.#ofOrg(orgId).map(({ item, sequence }) => ({
      position: { timestamp: item.createdAt, sequence },
      item
    }))
    return newestFirst(positioned, page, (item) => ({ ...item }))
  }

  async verify (orgId: string, id: string): Promise<SsoDomain | null> {
    const item = this.#find(orgId, id)
    if (item === null) return null
    const proved = this.#proved(item.domain)
    if (proved !== undefined && proved !== item) throw domainProvedElsewhere()
    item.verifiedAt ??= this.#now()
    return { ...item }
  }

  async update (orgId: string, id: string, { sso }: { sso: SsoPolicy }): Promise<SsoDomain | null> {
    const item = this.#find(orgId, id)
    if (item === null) return null
    item.sso = sso
    return { ...item }
  }

  async remove (orgId: string, id: string): Promise<SsoDomain | null> {
    const item = this.#find(orgId, id)
    if (item !== null) this.#domains.delete(id)
    return item
  }

  async findVerified (domain: string): Promise<VerifiedDomain | null> {
    const item = this.#proved(domain.toLowerCase())
    return item === undefined ? null : { orgId: item.orgId, sso: item.sso }
  }

  #proved (domain: string): SsoDomain | undefined {
    return Array.from(this.#domains.values(), ({ item }) => item)
      .find((item) => item.domain === domain && item.verifiedAt !== null)
  }

  #find (orgId: string, id: string): SsoDomain | null {
    const record = this.#domains.get(id)
    return record?.item.orgId === orgId ? record.item : null
  }

  #ofOrg (orgId: string) {
    return Array.from(this.#domains.values()).filter(({ item }) => item.orgId === orgId)
  }
}
