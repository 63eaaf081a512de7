import type { CustomSignature, WebhookMapping, WebhookProvider } from '../../../contracts/token-store/index.js'
import { compileExpression, headersOf, toPlainString } from './expression.js'
import type { Expression, Found, Subject } from './expression.js'
import { compilePath } from './json-path.js'
import { PROVIDER_MAPPINGS, PROVIDER_USER_IDS, SIGNED_HEADERS } from './provider-mappings.js'
import { toIsoTime } from './iso-time.js'

/** The error for an invalid property of a mapping; the message is for the author of the mapping. */
export class MappingError extends TypeError {
  /** JSON pointer into the mapping. */
  readonly path: string

  constructor (path: string, message: string) {
    super(message)
    this.path = path
  }
}

/** Returns the JSON text of one property of an event; `null` if the event does not have it. */
type Reader = (subject: Subject) => string | null

export interface CompiledMapping {
  type: NonNullable<WebhookMapping['type']>
  /** All properties except `type` and `messageId`, in their order. */
  members: ReadonlyArray<readonly [name: string, read: Reader]>
  /** Returns the provider's id of an event; `null` if the event has no signed id. */
  messageId: (subject: Subject) => string | null
  /** Returns the events in a body. */
  split: (body: Subject) => Iterable<Subject>
}

type Value = string | readonly string[] | Readonly<Record<string, string>> | null | undefined

const STRINGS = ['event', 'name', 'userId', 'anonymousId', 'groupId'] as const
const OBJECTS = ['properties', 'traits', 'context'] as const

/**
 * Compiles the provider's mapping with the webhook's own mapping over it. A header is accepted as `messageId` only if
 * the provider signs it: a captured delivery could otherwise be repeated with another id. The timestamp header of
 * `custom` is signed. Throws `MappingError`.
 */
export function compileMapping (
  provider: WebhookProvider,
  overrides: WebhookMapping | null,
  custom: Pick<CustomSignature, 'timestampHeader'> | null = null
): CompiledMapping {
  const mapping: WebhookMapping = { ...PROVIDER_MAPPINGS[provider], ...overrides }
  const { type = 'track', each } = mapping
  const providerUserId = overrides?.userId === undefined ? PROVIDER_USER_IDS[provider] : undefined
  const compiled = {
    ...Object.fromEntries(STRINGS.map((name) => [name, readString(compileAlternatives(name, mapping[name]))])),
    ...providerUserId === undefined
      ? {}
      : { userId: readString([...compileAlternatives('userId', mapping.userId), providerUserId]) },
    timestamp: readTime(compileAlternatives('timestamp', mapping.timestamp)),
    ...Object.fromEntries(OBJECTS.map((name) => [name, readObject(name, mapping[name])]))
  }
  const signed = new Set([...SIGNED_HEADERS[provider], custom?.timestampHeader])
  const idExpressions = mapping.messageId == null ? [] : [mapping.messageId].flat()
  const ids = compileAlternatives('messageId', mapping.messageId).filter((_id, at) =>
    headersOf(idExpressions[at] ?? '').every((name) => signed.has(name))
  )
  return {
    type,
    members: Object.entries(compiled),
    messageId: (subject) => firstString(ids, subject),
    split: splitter(each)
  }
}

function splitter (each: string | null | undefined): CompiledMapping['split'] {
  if (each == null) return (body) => [body]
  const { find } = withErrorPath('/each', () => compilePath(each))
  return function * split ({ value, part, headers, work }) {
    for (const node of find(value, work)) {
      const inner = part.at(node.location)
      if (inner !== undefined) yield { value: node.value, part: inner, headers, work }
    }
  }
}

function readString (expressions: readonly Expression[]): Reader {
  return (subject) => {
    const text = firstString(expressions, subject)
    return text === null ? null : JSON.stringify(text)
  }
}

function readTime (expressions: readonly Expression[]): Reader {
  return (subject) => {
    const text = firstString(expressions, subject)
    return text === null ? null : JSON.stringify(toIsoTime(text))
  }
}

function readObject (name: string, value: Value): Reader {
  if (isFields(value)) {
    const fields = Object.entries(value).map(([field, text]) => {
      const path = `/${name}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`
      if (field === '__proto__') throw new MappingError(path, 'must have another name')
      return [JSON.stringify(field), withErrorPath(path, () => compileExpression(text))] as const
    })
    return (subject) => {
      const pairs = fields.map(([field, { all }]) => [field, all(subject)]).filter(([, text]) => text !== null)
      return `{${pairs.map((pair) => pair.join(':')).join(',')}}`
    }
  }
  const expressions = compileAlternatives(name, value)
  return (subject) => firstAccepted(expressions, subject, ({ value, text }) => isFields(value) ? text : null)
}

/** Returns the first non-empty string or number that an expression finds. */
function firstString (expressions: readonly Expression[], subject: Subject): string | null {
  return firstAccepted(expressions, subject, (found) => toPlainString(found) || null)
}

function firstAccepted (
  expressions: readonly Expression[],
  subject: Subject,
  accept: (found: Found) => string | null
): string | null {
  for (const expression of expressions) {
    const found = expression.first(subject)
    const accepted = found === null ? null : accept(found)
    if (accepted !== null) return accepted
  }
  return null
}

function compileAlternatives (name: string, value: Value): Expression[] {
  if (value == null || isFields(value)) return []
  if (typeof value === 'string') return [withErrorPath(`/${name}`, () => compileExpression(value))]
  return value.map((text, at) => withErrorPath(`/${name}/${at}`, () => compileExpression(text)))
}

function withErrorPath<Result> (path: string, compile: () => Result): Result {
  try {
    return compile()
  } catch (error) {
    throw new MappingError(path, error instanceof Error ? error.message : 'is not valid')
  }
}

function isFields (value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
