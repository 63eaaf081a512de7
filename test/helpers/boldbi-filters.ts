/** One condition, as Bold BI's page on filtering views through URL parameters has it. */
export interface ReadFilter {
  kind: 'parameter' | 'field'
  name: string
  operator: string
  values: string[]
}

/** What a server finds in a signed query. */
export interface ReadQuery {
  /** Every key but those of the filters and attributes, with its values: more than one where a key came twice. */
  keys: Map<string, string[]>
  filters: ReadFilter[]
  attributes: unknown
  /** True where a condition is an alternative (`|`), which shows more. */
  hasAlternative: boolean
}

const WORDS = /^(IN|NOTIN|BETWEEN|INBETWEEN|NOTBETWEEN|STARTSWITH|ENDSWITH|CONTAINS)\s*\((.*)\)$/is

/** Reads the query as a server does that decodes it whole before it splits it, the least careful way. */
export function readDecodedFirst (query: string): ReadQuery {
  return read(decodeURIComponent(query), (text) => text)
}

/** Reads the query as a server does that splits it first and decodes each part. */
export function readSplitFirst (query: string): ReadQuery {
  return read(query, decodeURIComponent)
}

function read (text: string, decode: (part: string) => string): ReadQuery {
  const [, filter = ''] = /embed_datasource_filter=\[\{(.*?)\}\]/s.exec(text) ?? []
  const [, attributes = ''] = /embed_custom_attribute=\[\{(.*?)\}\]/s.exec(text) ?? []
  const rest = text.replace(`embed_datasource_filter=[{${filter}}]`, '').replace(
    `embed_custom_attribute=[{${attributes}}]`,
    ''
  )
  const keys = new Map<string, string[]>()
  for (const pair of rest.split('&')) {
    const key = pair.split('=', 1)[0] ?? ''
    if (key !== '') keys.set(decode(key), [...keys.get(decode(key)) ?? [], decode(pair.slice(key.length + 1))])
  }
  const { filters, hasAlternative } = conditions(filter, decode)
  return { keys, filters, hasAlternative, attributes: attributes === '' ? null : JSON.parse(`{${decode(attributes)}}`) }
}

function conditions (text: string, decode: (part: string) => string): Pick<ReadQuery, 'filters' | 'hasAlternative'> {
  const filters: ReadFilter[] = []
  let hasAlternative = false
  // A separator between tildes is none.
  for (const [, sign = '', condition = ''] of text.matchAll(/(\|\|?|&&?)((?:~[,&|]~|[^&|])*)/g)) {
    hasAlternative ||= sign.startsWith('|')
    const decoded = decode(condition)
    const [, name = '', operator = '', value = ''] = /^(.*?)(!=|<=|>=|=|<|>)(.*)$/s.exec(decoded) ?? []
    const [, word, inner = ''] = WORDS.exec(value) ?? []
    filters.push({
      kind: sign === '&&' ? 'parameter' : 'field',
      name,
      operator: word?.toUpperCase() ?? operator,
      values: items(word === undefined ? value : inner)
    })
  }
  return { filters, hasAlternative }
}

/** Splits at the commas that are not enclosed in tildes, then takes tildes and square brackets off. */
function items (text: string): string[] {
  const values = ['']
  for (const [token] of text.matchAll(/~[,&|]~|,|[^,~]+|~/g)) {
    if (token === ',') values.push('')
    else values[values.length - 1] += token.replace(/^~([,&|])~$/, '$1')
  }
  return values.map((value) => value.replace(/^\[(.*)\]$/s, '$1'))
}
