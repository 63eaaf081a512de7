import type { ComponentChildren } from 'preact'

import type { Reply } from '../../api/paths.ts'
import { at } from '../../shell/paths.ts'
import { canOpen } from '../index.ts'
import type { Names } from './names.ts'
import { partsOf, sentenceOf } from './sentences.ts'

export type Entry = Reply<'get', 'audit-logs'>['data'][number]

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/

/** An entry as a sentence, with a link to the thing that it is about. */
export function SentenceOf ({ entry, names }: { entry: Entry, names: Names }) {
  const changes = changesOf(entry)
  const has = (name: string) => name === 'who' || (name === 'it' ? thingOf(entry, names) : textOf(changes[name])) !== null
  return (
    <>
      {partsOf(sentenceOf(entry.action, changes), has).map((part, place) => {
        if ('text' in part) return part.text
        if (part.name === 'who') return <strong key={place}>{actorOf(entry, names)}</strong>
        return part.name === 'it'
          ? <Thing key={place} entry={entry} names={names} />
          : <strong key={place}>{textOf(changes[part.name]) ?? 'unknown'}</strong>
      })}
    </>
  )
}

/** Who did it, as a word of the sentence. */
export function actorOf (entry: Entry, names: Names): string {
  if (entry.user_email !== null) return entry.user_email
  if (entry.user_id !== null) return names.get(entry.user_id) ?? entry.user_id
  return changesOf(entry)['by'] === 'command line' ? 'The command line' : 'Someone without a name'
}

function Thing ({ entry, names }: { entry: Entry, names: Names }): ComponentChildren {
  const href = linkOf(entry)
  const name = thingOf(entry, names) ?? 'unknown'
  return href === undefined ? <strong>{name}</strong> : <a href={href}>{name}</a>
}

/** The name of what an entry is about. A deleted thing has only the name that the entry kept, or its id. */
function thingOf (entry: Entry, names: Names): string | null {
  const { resource_type: type, resource_id: id } = entry
  const changes = changesOf(entry)
  const known = id === null ? undefined : names.get(id)
  // The name in the changes of a pipeline key is that of the key.
  const own = type === 'source' && changes['key_id'] !== undefined ? null : changes['display_name'] ?? changes['name']
  return known ?? textOf(own) ?? (type === 'user' ? textOf(changes['email']) : null) ?? id
}

const PAGE_OF: Readonly<Record<string, string>> = {
  source: 'sources/:id',
  webhook: 'sources/:id',
  event: 'events',
  refused_event: 'refused-events',
  revocation: 'embeds',
  user: 'users/:id',
  invitation: 'users',
  key: 'api-keys',
  organisation: 'organisation',
  group: 'scim',
  identity_provider: 'sso/:id',
  sso_domain: 'sso'
}

const GONE = new Set(['source.deleted', 'user.deleted', 'sso.provider_deleted', 'group.deleted'])

/** The page of what an entry is about; `undefined` if it was deleted, or if the console has none. */
function linkOf (entry: Entry): string | undefined {
  const { action, resource_type: type, resource_id: id } = entry
  const page = PAGE_OF[type ?? '']
  if (page === undefined || !canOpen(page) || GONE.has(action)) return
  const source = type === 'webhook' ? changesOf(entry)['source_id'] : id
  if (page.endsWith(':id') && typeof source !== 'string') return
  return type === 'revocation' ? `${at(page)}?tab=revocations` : at(page, { id: String(source) })
}

function changesOf ({ changes }: Entry): Readonly<Record<string, unknown>> {
  return typeof changes === 'object' && changes !== null ? changes as Record<string, unknown> : {}
}

/** A value in the words of the reader: a time in their zone, and the new one of a change. */
function textOf (value: unknown): string | null {
  if (typeof value === 'object' && value !== null && 'to' in value) return textOf(value.to)
  if (typeof value === 'number') return new Intl.NumberFormat().format(value)
  if (typeof value !== 'string' || value === '') return null
  return ISO_TIME.test(value) ? moment.format(new Date(value)) : value
}
