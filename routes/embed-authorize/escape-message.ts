const MARKUP = /[&<>"']/
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export function escapeHtml (text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}

/**
 * The text of a JSON object with every string in its `Message` HTML-escaped, because the embed SDK puts that member into innerHTML.
 * The rest stays as it came, byte for byte: parsing and printing it again would round its large numbers.
 */
export function escapeMessage (json: string, message: unknown): string {
  const harmless = typeof message === 'string' ? !MARKUP.test(message) : typeof message !== 'object' || message === null
  if (harmless) return json
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

/** The index behind the closing quote of the string that begins at `start`. */
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
