const MARKUP = /[&<>"']/
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;'
}

/** Escapes the characters of HTML markup. */
export function escapeHtml (text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}

/**
 * Returns the JSON text of an object with all strings in its `Message` HTML-escaped, because the embed SDK writes this
 * property to innerHTML. The rest is unchanged: parsing and serialising it would round large numbers.
 */
export function escapeMessage (json: string, message: unknown): string {
  const isHarmless = typeof message === 'string'
    ? !MARKUP.test(message)
    : typeof message !== 'object' || message === null
  if (isHarmless) return json
  let result = ''
  let copied = 0
  let depth = 0
  let inMessage = false
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    else if (character === ',' && depth === 1) inMessage = false
    else if (character === '"') {
      const end = endOfString(json, at)
      if (inMessage) {
        result += json.slice(copied, at) + JSON.stringify(escapeHtml(parsed(json, at, end)))
        copied = end
      } else if (depth === 1 && isName(json, end)) inMessage = parsed(json, at, end) === 'Message'
      at = end - 1
    }
  }
  return result + json.slice(copied)
}

/** Returns the index after the closing quote of the string that begins at `start`. */
function endOfString (json: string, start: number): number {
  let at = start + 1
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at + 1
}

function isName (json: string, end: number): boolean {
  let at = end
  while (' \t\r\n'.includes(json[at] ?? ':')) at++
  return json[at] === ':'
}

function parsed (json: string, start: number, end: number): string {
  return JSON.parse(json.slice(start, end)) as string
}
