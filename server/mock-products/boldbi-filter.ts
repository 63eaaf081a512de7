/** One condition of `embed_datasource_filter`. */
export interface FilterCondition {
  name: string
  operator: string
  values: readonly string[]
}

const START = '&embed_datasource_filter=[{'
const END = '}]'
/** A separator of conditions and the condition after it. A separator between tildes belongs to the value. */
const CONDITION = /(?:&&?|\|\|?)((?:~[,&|]~|[^&|])+)/y
const PARTS = /^(.+?)(!=|<=|>=|=|<|>)(.+)$/s
const WORD = /^(IN|NOTIN|BETWEEN|NOTBETWEEN|STARTSWITH|ENDSWITH|CONTAINS)\((.*)\)$/s
/** Tokens of a list: a value in square brackets, an escaped separator, a comma, or other characters. */
const TOKEN = /\[([^[\]]*)\]|~([,&|])~|(,)|([^,~[\]()<>]+)/y

/**
 * Parses the filter of a signed query as Bold BI's documentation page "Filtering views through URL parameters"
 * specifies: `,`, `&` and `|` in a value are enclosed in tildes, a value with other special characters in square
 * brackets. Returns an empty list without a filter, and `null` for invalid syntax, for which Bold BI shows no data.
 */
export function readFilter (query: string): readonly FilterCondition[] | null {
  const start = query.indexOf(START)
  if (start === -1) return []
  const end = query.indexOf(END, start)
  if (end === -1) return null
  const text = decode(query.slice(start + START.length, end))
  const conditions = text === null
    ? null
    : matchAll(CONDITION, text)?.map(([, condition = '']) => conditionOf(condition))
  return conditions?.every((condition) => condition !== null) ? conditions : null
}

/** Removes the filter from a query, because its ampersands would separate parameters. */
export function withoutFilter (query: string): string {
  const start = query.indexOf(START)
  const end = query.indexOf(END, start)
  return start === -1 || end === -1 ? query : query.slice(0, start) + query.slice(end + END.length)
}

function conditionOf (text: string): FilterCondition | null {
  const [, name = '', sign = '', value = ''] = PARTS.exec(text) ?? []
  const [, word, inner] = sign === '=' ? WORD.exec(value) ?? [] : []
  const values = valuesOf(inner ?? value)
  return name === '' || values === null ? null : { name, operator: word ?? sign, values }
}

function valuesOf (text: string): string[] | null {
  const tokens = matchAll(TOKEN, text)
  if (tokens === null) return null
  const values = ['']
  for (const [, bracketed, escaped, comma, plain] of tokens) {
    if (comma !== undefined) values.push('')
    else values[values.length - 1] += bracketed?.replace(/~([,&|])~/g, '$1') ?? escaped ?? plain ?? ''
  }
  return values
}

/** Returns all consecutive matches of a sticky expression, or `null` if they do not cover the string. */
function matchAll (expression: RegExp, text: string): RegExpExecArray[] | null {
  const matches: RegExpExecArray[] = []
  for (let at = 0; at < text.length; at = expression.lastIndex) {
    expression.lastIndex = at
    const match = expression.exec(text)
    if (match === null) return null
    matches.push(match)
  }
  return matches
}

function decode (text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
