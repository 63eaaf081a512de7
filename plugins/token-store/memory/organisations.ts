import { randomUUID } from 'node:crypto'

import { CONFLICT } from '../../../lib/errors.js'
import type {
  Organisation, OrganisationPatch, Organisations, Page,
  PageRequest
} from '../../../contracts/token-store/index.js'
import { organisationOf } from '../organisation-settings.js'
import { newestFirst } from './newest-first.js'

export class MemoryOrganisations implements Organisations {
  readonly #now: () => number
  /** In the order of creation. */
  readonly #organisations = new Map<string, { organisation: Organisation, sequence: number }>()

  constructor (now: () => number) {
    this.#now = now
  }

  async create (
    { id = randomUUID(), ...fields }: { id?: string, name: string } & OrganisationPatch
  ): Promise<Organisation> {
    if (this.#organisations.has(id)) throw new CONFLICT({ message: 'This organisation exists already' })
    return { ...this.#add({ id, ...fields }) }
  }

  async get (id: string): Promise<Organisation | null> {
    const record = this.#organisations.get(id)
    return record === undefined ? null : { ...record.organisation }
  }

  async update (id: string, patch: OrganisationPatch): Promise<Organisation | null> {
    const record = this.#organisations.get(id)
    if (record === undefined) return null
    const { organisation: before } = record
    record.organisation = { ...organisationOf({ ...before, ...patch }), createdAt: before.createdAt }
    return { ...record.organisation }
  }

  async list (page: PageRequest): Promise<Page<Organisation>> {
    const positioned = Array.from(this.#organisations.values(), ({ organisation, sequence }) => ({
      position: { timestamp: organisation.createdAt, sequence },
      item: organisation
    }))
    return newestFirst(positioned, page, (organisation) => ({ ...organisation }))
  }

  /** Returns the stored organisation, not a copy. */
  find (id: string): Readonly<Organisation> | undefined {
    return this.#organisations.get(id)?.organisation
  }

  /** Returns the name of an organisation; `null` if it does not exist. */
  nameOf (id: string): string | null {
    return this.#organisations.get(id)?.organisation.name ?? null
  }

  /** Returns the maximum number of users of an organisation. */
  maxUsersOf (id: string): number | null {
    return this.#organisations.get(id)?.organisation.maxUsers ?? null
  }

  /** Creates an organisation that does not exist; its name is its id. */
  ensure (id: string): void {
    if (!this.#organisations.has(id)) this.#add({ id, name: id })
  }

  #add (fields: { id: string, name: string } & OrganisationPatch): Organisation {
    const organisation = { ...organisationOf(fields), createdAt: this.#now() }
    this.#organisations.set(fields.id, { organisation, sequence: this.#organisations.size })
    return organisation
  }
}
