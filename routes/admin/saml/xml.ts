import { importOptional } from '../../../lib/optional-package.js'
import { hasBalancedTags } from './balanced-tags.js'

export const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol'
export const METADATA = 'urn:oasis:names:tc:SAML:2.0:metadata'
export const SIGNATURE = 'http://www.w3.org/2000/09/xmldsig#'
export const ENCRYPTION = 'http://www.w3.org/2001/04/xmlenc#'

const [ELEMENT_NODE, TEXT_NODE, COMMENT_NODE] = [1, 3, 8]
// Verification searches the whole document for each certificate: some 0.5 s for 1,200 tags and five certificates.
const MAX_TAGS = 1_200
const MAX_DEPTH = 64
const MAX_ATTRIBUTES = 32
const ATTRIBUTE = '\\s+[^\\s<>/"\'=]+\\s*=\\s*(?:"[^"<]*"|\'[^\'<]*\')'
const ATTRIBUTES = new RegExp(ATTRIBUTE, 'g')
/** One piece of a document: text, a comment, or a tag with its slashes and attributes. */
const PIECE = new RegExp(
  `[^<]+|<!--(?:(?!--)[^])*-->|<(/?)[^\\s<>/"'=!]+((?:${ATTRIBUTE})*)\\s*(/?)>`,
  'y'
)

/** A message of a provider that is not valid. The error message is for the log and the audit, without its contents. */
export class InvalidMessage extends Error {}

/** Parses an XML document of at most `maxTags` tags (1,200) and returns its root element. Throws `InvalidMessage`. */
export type ParseXml = (text: string, maxTags?: number) => Element

/**
 * Returns a parser for XML of providers. It refuses DTDs and entities, CDATA sections and processing instructions
 * before it parses, and documents with too many tags, more than 64 levels or 32 attributes of an element.
 *
 * @throws Error that says what to install if the package is missing
 */
export async function openXmlParser (): Promise<ParseXml> {
  const why = 'SAML single sign-on of administrators'
  const { DOMParser } = await importOptional('@xmldom/xmldom', () => import('@xmldom/xmldom'), why)
  return (text, maxTags = MAX_TAGS) => {
    const body = text.replace(/^\uFEFF?\s*<\?xml\s[^?]*\?>/, '')
    if (/<!(?!--)/.test(body)) throw new InvalidMessage('the XML has a DTD, an entity or a CDATA section')
    if (body.includes('<?')) throw new InvalidMessage('the XML has a processing instruction')
    if (body.split('<').length > maxTags) throw new InvalidMessage('the XML has too many elements')
    checkSize(body)
    const root = hasBalancedTags(body) ? parseWith(DOMParser, text) : null
    if (root === null) throw new InvalidMessage('the XML is not well-formed')
    return root
  }
}

/** Throws `InvalidMessage` for a document with too many levels or attributes, in time that is linear in its length. */
function checkSize (body: string): void {
  let depth = 0
  PIECE.lastIndex = 0
  while (PIECE.lastIndex < body.length) {
    const piece = PIECE.exec(body)
    if (piece === null) throw new InvalidMessage('the XML is not well-formed')
    const [, end, attributes, empty] = piece
    if (end === undefined || attributes === undefined) continue
    if ((attributes.match(ATTRIBUTES)?.length ?? 0) > MAX_ATTRIBUTES) {
      throw new InvalidMessage('an element of the XML has too many attributes')
    }
    if (end === '/') depth--
    else if (empty === '') depth++
    if (depth > MAX_DEPTH) throw new InvalidMessage('the XML is nested too deeply')
  }
}

function parseWith (Parser: typeof import('@xmldom/xmldom').DOMParser, text: string): Element | null {
  try {
    const parser = new Parser({
      errorHandler: (_level: string, message: string) => {
        throw new Error(message)
      }
    })
    // An empty text has no document.
    const document = parser.parseFromString(text, 'text/xml') as Document | undefined
    return document?.documentElement ?? null
  } catch {
    return null
  }
}

/** Returns an element and all elements below it, in no particular order. */
export function elementsOf (root: Element): Element[] {
  const found: Element[] = []
  const pending = [root]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    found.push(next)
    pending.push(...childrenOf(next))
  }
  return found
}

export function childrenOf (element: Element): Element[] {
  return Array.from(element.childNodes).filter((node): node is Element => node.nodeType === ELEMENT_NODE)
}

export function isNamed (element: Element, namespace: string, name: string): boolean {
  return element.namespaceURI === namespace && element.localName === name
}

/** Returns the child elements of a name. */
export function children (element: Element, namespace: string, name: string): Element[] {
  return childrenOf(element).filter((child) => isNamed(child, namespace, name))
}

/** Returns the only child of a name, or `null` for none. Throws `InvalidMessage` for several. */
export function onlyChild (element: Element, namespace: string, name: string): Element | null {
  const [child, ...others] = children(element, namespace, name)
  if (others.length > 0) throw new InvalidMessage(`${element.localName} has more than one ${name}`)
  return child ?? null
}

/** Returns the only child of a name. Throws `InvalidMessage` for none or several. */
export function requiredChild (element: Element, namespace: string, name: string): Element {
  const child = onlyChild(element, namespace, name)
  if (child === null) throw new InvalidMessage(`${element.localName} has no ${name}`)
  return child
}

/** Returns an attribute without namespace, or `null`. */
export function attribute (element: Element, name: string): string | null {
  return element.hasAttribute(name) ? element.getAttribute(name) : null
}

/**
 * Returns the whole text of an element without white space at its ends. A comment does not end the text: a reader that
 * stops there would accept `admin@example.com<!---->.evil.example`. Throws `InvalidMessage` for child elements.
 */
export function textOf (element: Element): string {
  let text = ''
  for (const node of Array.from(element.childNodes)) {
    if (node.nodeType === TEXT_NODE) text += node.nodeValue ?? ''
    else if (node.nodeType !== COMMENT_NODE) throw new InvalidMessage(`${element.localName} has child elements`)
  }
  return text.trim()
}

/** Escapes text for an element or for an attribute in double quotes, of XML or HTML. */
export function escapeXml (text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Whether an element or its descendants have a comment. */
export function hasComment (element: Element): boolean {
  return elementsOf(element).some(({ childNodes }) =>
    Array.from(childNodes).some(({ nodeType }) => nodeType === COMMENT_NODE)
  )
}
