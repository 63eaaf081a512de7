import { call } from '../../api/client.ts'
import { filledPage, useQuery } from '../../api/use-query.ts'
import { useParameters } from '../../api/use-parameters.ts'
import { Filters, useFilters } from '../../ui/filters.tsx'
import type { Filter } from '../../ui/filters.tsx'
import { Page } from '../../ui/layout.tsx'
import { Empty } from '../../ui/states.tsx'
import { Paged, useCursor } from '../../ui/table.tsx'
import { Days } from './days.tsx'
import { Detail } from './detail.tsx'
import { useNames } from './names.ts'
import type { Names } from './names.ts'
import { SENTENCES } from './sentences.ts'

const TYPES: ReadonlyArray<readonly [string, string]> = [
  ['source', 'Source'], ['webhook', 'Webhook'], ['event', 'Events'], ['refused_event', 'Refused event'],
  ['guest_token', 'DataBrain guest token'], ['dashboard', 'Bold BI dashboard'], ['widget_token', 'dxFeed widget token'],
  ['revocation', 'Revocation'], ['user', 'User'], ['invitation', 'Invitation'], ['session', 'Session'],
  ['key', 'API key'], ['organisation', 'Organisation'], ['group', 'Group'], ['identity_provider', 'Identity provider'],
  ['sso_domain', 'Email domain']
]

/** Who did what: the entries of the organisation, newest first. */
export default function AuditLogPage () {
  const { query: { entry: opened } } = useParameters()
  const cursor = useCursor()
  const set = useFilters(filtersOf(undefined))
  const filters = filtersOf(set['action'])
  const names = useNames()
  const query = { ...set, ...set['user_id'] === undefined ? {} : { user_id: idOf(set['user_id'], names) } }
  const found = useQuery(`audit ${JSON.stringify(query)} ${cursor ?? ''}`, (signal) =>
    filledPage((next) => call('get', 'audit-logs', {
      query: { ...query, ...next === undefined ? {} : { cursor: next }, limit: 50 }, signal
    }), cursor))
  const open = found.data?.data.find(({ id }) => id === opened)
  return (
    <Page
      title='Audit log'
      lead='Who did what in the organisation: sign-ins, changes, keys and embeds. Entries cannot be changed.'
    >
      <Filters label='Filters of the audit log' filters={filters} />
      <Paged query={found} empty={<Nothing isFiltered={Object.keys(set).length > 0} />}>
        {(entries) => <Days entries={entries} names={names} />}
      </Paged>
      {open === undefined ? null : <Detail entry={open} names={names} />}
    </Page>
  )
}

function Nothing ({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered
    ? <Empty icon='search' title='No entry matches'>Entries are kept for 90 days, unless your server sets another time.</Empty>
    : <Empty icon='audit' title='No entry yet'>Each sign-in and each change by an administrator becomes an entry.</Empty>
}

function filtersOf (action: string | undefined): readonly Filter[] {
  const known = Object.keys(SENTENCES).sort().map((code) => [code, code] as const)
  // A host may record actions of its own, which a link may name.
  const other = action === undefined || action in SENTENCES ? [] : [[action, action] as const]
  return [
    { name: 'action', label: 'Action', choices: [['', 'All actions'], ...other, ...known] },
    { name: 'user_id', label: 'Actor: email or id', maxLength: 256 },
    { name: 'from', label: 'From', isTime: true, isRare: true },
    { name: 'to', label: 'Until', isTime: true, isRare: true },
    { name: 'resource_type', label: 'Kind of subject', choices: [['', 'All kinds'], ...TYPES], isRare: true },
    { name: 'resource_id', label: 'Id of the subject', maxLength: 256, isRare: true }
  ]
}

/** The API finds the entries of a user by id; people know the email. */
function idOf (text: string, names: Names): string {
  const wanted = text.trim().toLowerCase()
  const [id] = [...names].find(([, name]) => name.toLowerCase() === wanted) ?? [text.trim()]
  return id
}
