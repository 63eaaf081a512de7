import { randomUUID } from 'node:crypto'

import { CONFLICT } from '../../lib/errors.js'
import type { Organisation, OrganisationPatch, TokenStore } from '../../contracts/token-store/index.js'
import { domainNameOf } from '../../routes/admin/sso/domain-name.js'
import type { Values } from './command.js'
import { withStore } from './with-store.js'

type Action = (values: Values) => (store: TokenStore) => Promise<void>

const ID = /^[A-Za-z0-9_-]{1,64}$/
const NAME = /^[^\p{Cc}\p{Cs}]{1,200}$/u
const LIMIT = /^\d{1,9}$/
const PAGE = 100

// The values are checked before the database is opened.
const ACTIONS: Readonly<Record<string, Action>> = {
  list: () => printAll,

  create (values) {
    const patch = limitsOf(values)
    const name = nameOf(values)
    const own = values['id'] === undefined ? {} : { id: idOf(values) }
    return async (store) => {
      const organisation = await created(store, { ...own, name, ...patch })
      await audit(store, organisation, 'organisation.created', { name, ...patch })
      print([organisation])
    }
  },

  rename (values) {
    const [id, name] = [idOf(values), nameOf(values)]
    return (store) => update(store, id, { name })
  },

  limits (values) {
    const [id, patch] = [idOf(values), limitsOf(values)]
    if (Object.keys(patch).length === 0) throw new Error('organisations limits requires --max-users or --max-sources')
    return (store) => update(store, id, patch)
  },

  'verify-domain' (values) {
    const [id, domain] = [idOf(values), domainOf(values)]
    return (store) => verifyDomain(store, id, domain)
  }
}

/** `organisations list|create|rename|limits|verify-domain`: for the operator, who has access to the database. */
export async function organisations (values: Values, action = ''): Promise<void> {
  const run = ACTIONS[action]?.(values)
  if (run === undefined) throw new Error(`organisations requires one of ${Object.keys(ACTIONS).join(', ')}`)
  await withStore(run)
}

async function printAll ({ organisations }: TokenStore): Promise<void> {
  const all: Organisation[] = []
  let cursor: string | undefined
  do {
    const page = await organisations.list({ limit: PAGE, cursor })
    all.push(...page.data)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  print(all)
}

async function created (
  { organisations }: TokenStore,
  organisation: Parameters<TokenStore['organisations']['create']>[0]
): Promise<Organisation> {
  try {
    return await organisations.create(organisation)
  } catch (error) {
    if (error instanceof CONFLICT) throw new Error(`the organisation ${organisation.id ?? ''} already exists`)
    throw error
  }
}

async function update (store: TokenStore, id: string, patch: OrganisationPatch): Promise<void> {
  const organisation = await store.organisations.update(id, patch)
  if (organisation === null) throw new Error(`there is no organisation ${id}`)
  await audit(store, organisation, 'organisation.updated', { ...patch })
  print([organisation])
}

/** Marks an email domain of an organisation as proved, on the word of the operator. */
async function verifyDomain (store: TokenStore, orgId: string, domain: string): Promise<void> {
  const organisation = await store.organisations.get(orgId)
  if (organisation === null) throw new Error(`there is no organisation ${orgId}`)
  const { id } = await claimedDomain(store, orgId, domain) ??
    await store.ssoDomains.add({ orgId, domain, token: randomUUID() })
  try {
    await store.ssoDomains.verify(orgId, id)
  } catch (error) {
    if (error instanceof CONFLICT) throw new Error(`another organisation has proved ${domain}`)
    throw error
  }
  await audit(store, organisation, 'sso.domain_verified', { domain })
  console.log(`${domain} belongs to ${orgId}`)
}

async function claimedDomain ({ ssoDomains }: TokenStore, orgId: string, domain: string) {
  let cursor: string | undefined
  do {
    const page = await ssoDomains.list(orgId, { limit: PAGE, cursor })
    const found = page.data.find((claimed) => claimed.domain === domain)
    if (found !== undefined) return found
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return null
}

async function audit (
  store: TokenStore,
  { id }: Organisation,
  action: string,
  changes: Record<string, unknown>
): Promise<void> {
  await store.audit.append([{
    id: randomUUID(),
    orgId: id,
    action,
    userId: null,
    userEmail: null,
    resourceType: 'organisation',
    resourceId: id,
    changes: { ...changes, by: 'command line' },
    ipAddress: null,
    userAgent: null,
    timestamp: Date.now()
  }])
}

function idOf ({ id }: Values): string {
  if (typeof id !== 'string' || !ID.test(id)) {
    throw new Error('--id must be the id of an organisation: 1 to 64 letters, digits, "_" and "-"')
  }
  return id
}

function domainOf ({ domain }: Values): string {
  const name = domainNameOf(Array.isArray(domain) ? domain[0] : domain)
  if (name === null) throw new Error('--domain must be an email domain such as example.com')
  return name
}

function nameOf ({ name }: Values): string {
  if (typeof name !== 'string' || name.trim() === '' || !NAME.test(name)) {
    throw new Error('--name must be 1 to 200 characters, without control characters')
  }
  return name
}

function limitsOf (values: Values): Pick<OrganisationPatch, 'maxUsers' | 'maxSources'> {
  return {
    ...values['max-users'] === undefined ? {} : { maxUsers: limitOf(values, 'max-users') },
    ...values['max-sources'] === undefined ? {} : { maxSources: limitOf(values, 'max-sources') }
  }
}

/** Returns a limit; `null` for `none`. */
function limitOf (values: Values, option: string): number | null {
  const { [option]: value } = values
  if (value === 'none') return null
  if (typeof value !== 'string' || !LIMIT.test(value)) throw new Error(`--${option} must be a whole number or none`)
  return Number(value)
}

function print (list: readonly Organisation[]): void {
  const rows = [
    ['id', 'name', 'second factor', 'max users', 'max sources'],
    ...list.map(({ id, name, mfa, maxUsers, maxSources }) => [id, name, mfa, maxUsers ?? 'none', maxSources ?? 'none'])
  ]
  console.log(rows.map((row) => row.join('\t')).join('\n'))
}
