import type { Source } from '../../api/use-sources.ts'
import type { Filter } from '../../ui/filters.tsx'

/** An event as lists show it. What a client sends may have any type. */
export type StoredEvent = Readonly<Record<string, unknown>>

const TYPES = ['track', 'page', 'identify', 'group', 'screen', 'alias'] as const
export type EventType = typeof TYPES[number]

/** Returns a member that is a non-empty string. */
export function text (event: StoredEvent, member: string): string | undefined {
  const value = event[member]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The name of an event: that of what was tracked, of a page or a group; else its type. */
export function titleOf (event: StoredEvent): string {
  return text(event, 'event') ?? text(event, 'name') ?? text(event, 'groupId') ?? pageOf(event) ?? text(event, 'type') ?? 'Event'
}

/** The address of the page that sent the event, without its query. */
export function pageOf (event: StoredEvent): string | undefined {
  const { context } = event
  const page = isObject(context) ? context['page'] : undefined
  const url = isObject(page) ? text(page, 'url') : undefined
  return url?.replace(/[?#].*/s, '')
}

/** The user, by the id that is known. */
export function userOf (event: StoredEvent): string | undefined {
  return text(event, 'userId') ?? text(event, 'anonymousId')
}

function isObject (value: unknown): value is StoredEvent {
  return typeof value === 'object' && value !== null
}

/** A filter by source, whose choices are the names. A source that was deleted keeps its id. */
export function sourceFilter (sources: ReadonlyMap<string, Source> | undefined, chosen: string | undefined): Filter {
  const choices = [...sources?.values() ?? []].map(({ id, name }) => [id, name] as const)
  const isUnknown = chosen !== undefined && !sources?.has(chosen)
  return {
    name: 'source_id',
    label: 'Source',
    choices: [['', 'All sources'], ...choices, ...isUnknown ? [[chosen, chosen] as const] : []]
  }
}

export const TYPE_FILTER: Filter = {
  name: 'type', label: 'Type', choices: [['', 'All types'], ...TYPES.map((type) => [type, type] as const)]
}

export const PERIOD_FILTERS: readonly Filter[] = [
  { name: 'from', label: 'Received from', isTime: true, isRare: true },
  { name: 'to', label: 'Received until', isTime: true, isRare: true }
]
