import type { CustomSignature, WebhookMapping, WebhookProvider } from '../../../contracts/token-store/index.js'
import { compileExpression, headersOf, plainText } from './expression.js'
import type { Expression, Found, Subject } from './expression.js'
import { compilePath } from './json-path.js'
import { PROVIDER_MAPPINGS, PROVIDER_USER_IDS, SIGNED_HEADERS } from './provider-mappings.js'
import { timeText } from './time-text.js'

/** A member of a mapping that can't be used; the message is for who wrote it. */
export class MappingFault extends TypeError {
  /** JSON pointer into the mapping. */
  readonly path: string

  constructor (path: string, message: string) {
    super(message)
    this.path = path
  }
}

/** Reads the JSON text of one member of an event; `null`: the event has none. */
type Reader = (subject: Subject) => string | null

export interface CompiledMapping {
  type: NonNullable<WebhookMapping['type']>
  /** The members but for `type` and `messageId`, in their order. */
  members: ReadonlyArray<readonly [name: string, read: Reader]>
  /** The provider's id of an event, `null` if it has none that is signed. */
  messageId: (subject: Subject) => string | null
  /** The events in a body. */
  split: (body: Subject) => Iterable<Subject>
}

type Value = string | readonly string[] | Readonly<Record<string, string>> | null | undefined

const TEXTS = ['event', 'name', 'userId', 'anonymousId', 'groupId'] as const
const OBJECTS = ['properties', 'traits', 'context'] as const

/**
 * The provider's mapping with a webhook's own over it. An id that a header gives counts only where the header is signed, as the one
 * with the timestamp of `custom` is: who has captured a delivery could send it again and again under another. Throws a `MappingFault`.
 */
export function compileMapping (
  provider: WebhookProvider, own: WebhookMapping | null, custom: Pick<CustomSignature, 'timestampHeader'> | null = null
): CompiledMapping {
  const mapping: WebhookMapping = { ...PROVIDER_MAPPINGS[provider], ...own }
  const { type = 'track', each } = mapping
  const ownUserId = own?.userId === undefined ? PROVIDER_USER_IDS[provider] : undefined
  const compiled = {
    ...Object.fromEntries(TEXTS.map((name) => [name, readText(alternatives(name, mapping[name]))])),
    ...ownUserId === undefined ? {} : { userId: readText([...alternatives('userId', mapping.userId), ownUserId]) },
    timestamp: readTime(alternatives('timestamp', mapping.timestamp)),
    ...Object.fromEntries(OBJECTS.map((name) => [name, readObject(name, mapping[name])]))
  }
  const signed = new Set([...SIGNED_HEADERS[provider], custom?.timestampHeader])
  const texts = mapping.messageId == null ? [] : [mapping.messageId].flat()
  const ids = alternatives('messageId', mapping.messageId).filter((_id, at) => headersOf(texts[at] ?? '').every((name) => signed.has(name)))
  return { type, members: Object.entries(compiled), messageId: (subject) => firstText(ids, subject), split: splitter(each) }
}

function splitter (each: string | null | undefined): CompiledMapping['split'] {
  if (each == null) return (body) => [body]
  const { find } = compiling('/each', () => compilePath(each))
  return function * split ({ value, part, headers, work }) {
    for (const node of find(value, work)) {
      const inner = part.at(node.location)
      if (inner !== undefined) yield { value: node.value, part: inner, headers, work }
    }
  }
}

function readText (expressions: readonly Expression[]): Reader {
  return (subject) => {
    const text = firstText(expressions, subject)
    return text === null ? null : JSON.stringify(text)
  }
}

function readTime (expressions: readonly Expression[]): Reader {
  return (subject) => {
    const text = firstText(expressions, subject)
    return text === null ? null : JSON.stringify(timeText(text))
  }
}

function readObject (name: string, value: Value): Reader {
  if (isFields(value)) {
    const fields = Object.entries(value).map(([field, text]) => {
      const path = `/${name}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`
      if (field === '__proto__') throw new MappingFault(path, 'must have another name')
      return [JSON.stringify(field), compiling(path, () => compileExpression(text))] as const
    })
    return (subject) => `{${fields.map(([field, { all }]) => [field, all(subject)]).filter(([, text]) => text !== null).map((pair) => pair.join(':')).join(',')}}`
  }
  const expressions = alternatives(name, value)
  return (subject) => firstOf(expressions, subject, ({ value, text }) => isFields(value) ? text : null)
}

/** The first text that is not empty. */
function firstText (expressions: readonly Expression[], subject: Subject): string | null {
  return firstOf(expressions, subject, (found) => plainText(found) || null)
}

function firstOf (expressions: readonly Expression[], subject: Subject, accept: (found: Found) => string | null): string | null {
  for (const expression of expressions) {
    const found = expression.first(subject)
    const accepted = found === null ? null : accept(found)
    if (accepted !== null) return accepted
  }
  return null
}

function alternatives (name: string, value: Value): Expression[] {
  if (value == null || isFields(value)) return []
  if (typeof value === 'string') return [compiling(`/${name}`, () => compileExpression(value))]
  return value.map((text, at) => compiling(`/${name}/${at}`, () => compileExpression(text)))
}

function compiling<Result> (path: string, compile: () => Result): Result {
  try {
    return compile()
  } catch (error) {
    throw new MappingFault(path, error instanceof Error ? error.message : 'is not valid')
  }
}

function isFields (value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
