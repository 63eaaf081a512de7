// Creates requests that are expensive for their size, for every route of an OpenAPI document.
import { gzipSync } from 'node:zlib'

export interface Operation {
  method: string
  /** The path with its parameters in braces. */
  path: string
  /** Names of the security schemes of the route. */
  security: string[]
  query: string[]
  /** Names of the properties of the JSON body; `null`: the route has no JSON body. */
  members: string[] | null
}

export interface WorstRequest {
  kind: string
  method: string
  path: string
  headers: Record<string, string>
  /** Created when it is sent, because all bodies together would fill the memory. */
  body: (() => Buffer) | null
}

interface Document {
  paths: Record<string, Record<string, OpenApiOperation>>
}
interface OpenApiOperation {
  security?: Array<Record<string, unknown>>
  parameters?: Array<{ in: string, name: string }>
  requestBody?: { content?: Record<string, { schema?: BodySchema }> }
}
interface BodySchema {
  properties?: Record<string, unknown>
  anyOf?: BodySchema[]
  oneOf?: BodySchema[]
  allOf?: BodySchema[]
}

const KB = 1024
const MB = KB * KB
/** Body sizes of a batch, of a single request, of a body without a key, and of small JSON. */
const SIZES = [5 * MB - KB, 512 * KB, 64 * KB, 16 * KB]
/** All headers together may have 16 KB. */
const HEADER = 14 * KB

const repeat = (unit: string, bytes: number) =>
  unit.repeat(Math.ceil(bytes / unit.length)).slice(0, bytes - bytes % unit.length)
const list = (unit: string, bytes: number) => `[${repeat(`${unit},`, bytes)}${unit}]`
const numbered = (bytes: number) => {
  const members: string[] = []
  for (let at = 0, length = 0; length < bytes; at++) {
    const member = `"k${at}":0`
    members.push(member)
    length += member.length + 1
  }
  return `{${members.join(',')}}`
}

/** Returns JSON values of about `bytes` bytes that are slow to scan, parse, validate or serialise. */
const VALUES: Record<string, (bytes: number) => string> = {
  members: numbered,
  'numbers in an array': (bytes) => list('1', bytes),
  'empty objects': (bytes) => list('{}', bytes),
  'small strings': (bytes) => list('"a"', bytes),
  'levels of arrays': (bytes) => '['.repeat(bytes / 2) + ']'.repeat(bytes / 2),
  'levels of objects': (bytes) => '{"a":'.repeat(bytes / 6) + '1' + '}'.repeat(bytes / 6),
  'a long string': (bytes) => `"${repeat('a', bytes)}"`,
  'escapes in a string': (bytes) => `"${repeat('\\u0061', bytes)}"`,
  'backslashes in a string': (bytes) => `"${repeat('\\\\', bytes)}"`,
  'percent signs': (bytes) => `"${repeat('%25', bytes)}"`,
  'parameters of a query': (bytes) => `"${repeat('a=1&', bytes)}"`,
  digits: (bytes) => repeat('1', bytes),
  'a string without an end': (bytes) => `"${repeat('a', bytes)}`
}

/** Further bodies, in addition to the bodies with such a value in one property. */
const BODIES: Record<string, (bytes: number) => string | Buffer> = {
  spaces: (bytes) => repeat(' ', bytes),
  'one key again and again': (bytes) => `{${repeat('"userId":"u",', bytes)}"userId":"u"}`,
  'bytes that are not UTF-8': (bytes) => Buffer.alloc(bytes, 0xff),
  'small events': (bytes) => `{"batch":${list('{"type":"track","event":"e","userId":"u"}', bytes)}}`,
  'members beside a batch': (bytes) => `{"batch":[{"type":"page","userId":"u"}],${numbered(bytes).slice(1)}`,
  'members in the context of a batch': (bytes) =>
    `{"batch":[{"type":"page","userId":"u"}],"context":${numbered(bytes)}}`
}

const HEADER_VALUES: Record<string, string> = {
  letters: repeat('a', HEADER),
  commas: repeat('a,', HEADER),
  'semicolons and equals signs': repeat('a=1; ', HEADER),
  dots: repeat('a.', HEADER),
  spaces: `a${repeat(' ', HEADER - 2)}a`,
  percent: repeat('%25', HEADER)
}
const HEADERS = ['authorization', 'cookie', 'origin', 'user-agent', 'x-forwarded-for', 'accept', 'x-datafly-signature',
  'x-user-reference', 'x-proxy-auth-key']

export function operationsOf (document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const schema = operation.requestBody?.content?.['application/json']?.schema
      return {
        method: method.toUpperCase(),
        path,
        security: [...new Set((operation.security ?? []).flatMap((scheme) => Object.keys(scheme)))],
        query: (operation.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name),
        members: schema === undefined ? null : [...new Set(membersOf(schema))]
      }
    })
  )
}

function membersOf ({ properties = {}, anyOf = [], oneOf = [], allOf = [] }: BodySchema): string[] {
  return [...Object.keys(properties), ...[...anyOf, ...oneOf, ...allOf].flatMap(membersOf)]
}

/** Yields each request once per possible size; `ids` replace the parameters of the path. */
export function * worstRequests (
  { method, path, query, members }: Operation,
  ids: Record<string, string>
): Generator<WorstRequest> {
  const target = path.replace(/\{(.+?)\}/g, (_braces, name: string) => ids[name] ?? 'x')
  for (const name of HEADERS) {
    for (const [kind, text] of Object.entries(HEADER_VALUES)) {
      yield { kind: `${name}: ${kind}`, method, path: target, headers: { [name]: text }, body: null }
    }
  }
  for (const name of [...query, 'unknown']) {
    for (const text of ['a', '%25', '%5B', '%22', '.', '9', 'a%2C']) {
      yield {
        kind: `?${name}= ${text}`,
        method,
        path: `${target}?${name}=${repeat(text, HEADER)}`,
        headers: {},
        body: null
      }
    }
  }
  yield {
    kind: 'query of many parameters',
    method,
    path: `${target}?${repeat('a=1&', HEADER)}`,
    headers: {},
    body: null
  }
  yield {
    kind: 'query of one parameter again and again',
    method,
    path: `${target}?${repeat(`${query[0] ?? 'a'}=1&`, HEADER)}`,
    headers: {},
    body: null
  }
  if (path.includes('{')) {
    yield {
      kind: 'a long path',
      method,
      path: path.replaceAll(/\{.+?\}/g, repeat('%25', HEADER)),
      headers: {},
      body: null
    }
  }
  if (members === null) return

  const json = { 'content-type': 'application/json' }
  for (const size of SIZES) {
    for (const [kind, body] of bodies(members, size)) {
      const named = `${kind}, ${Math.round(size / KB)} KB`
      yield { kind: named, method, path: target, headers: json, body }
      yield {
        kind: `${named}, gzip`,
        method,
        path: target,
        headers: { ...json, 'content-encoding': 'gzip' },
        body: () => gzipSync(body(), { level: 1 })
      }
      yield { kind: `${named}, text/plain`, method, path: target, headers: { 'content-type': 'text/plain' }, body }
    }
  }
}

function * bodies (members: string[], size: number): Generator<[string, () => Buffer]> {
  for (const [kind, body] of Object.entries(BODIES)) yield [kind, () => cachedBody(kind, size, body)]
  for (const [kind, value] of Object.entries(VALUES)) {
    const bytes = () => cachedBody(kind, size - KB, value)
    yield [kind, bytes]
    for (const member of members) {
      yield [`${member}: ${kind}`, () => Buffer.concat([Buffer.from(`{"${member}":`), bytes(), Buffer.from('}')])]
    }
  }
}

const cache = new Map<string, Buffer>()

/** Created once, because all routes receive the same values. */
function cachedBody (kind: string, size: number, create: (bytes: number) => string | Buffer): Buffer {
  const key = `${kind} ${size}`
  const bytes = cache.get(key) ?? Buffer.from(create(size))
  cache.set(key, bytes)
  return bytes
}
