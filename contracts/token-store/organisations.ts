import type { Page, PageRequest } from '../page.js'

/** Whether the members of an organisation need a second factor at login. */
export type MfaPolicy = 'optional' | 'required'

/** A customer of the deployment. All data belongs to one organisation. */
export interface Organisation {
  id: string
  name: string
  mfa: MfaPolicy
  /** Maximum number of members and open invitations; `null` for no limit. */
  maxUsers: number | null
  /** Maximum number of sources; `null` for the limit of the admin API. */
  maxSources: number | null
  /** Epoch milliseconds. */
  createdAt: number
}

/** The properties of an organisation that can be changed. */
export type OrganisationPatch = Partial<Omit<Organisation, 'id' | 'createdAt'>>

/** The organisations of the deployment. */
export interface Organisations {
  /**
   * Creates an organisation. Default: a random id, no second factor required, no limits. Rejects with `CONFLICT` if the
   * id is taken.
   */
  create (organisation: { id?: string, name: string } & OrganisationPatch): Promise<Organisation>
  get (id: string): Promise<Organisation | null>
  update (id: string, patch: OrganisationPatch): Promise<Organisation | null>
  /** Lists the organisations by `createdAt`, newest first. */
  list (page: PageRequest): Promise<Page<Organisation>>
}
