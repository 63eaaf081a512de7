import type { DOMParser } from '@xmldom/xmldom'
import type { SignedXml } from 'xml-crypto'

import { importOptional } from '../../../lib/optional-package.js'
import { escapeHtml } from '../page.js'

export const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol'

/** The optional packages that parse XML and check its signatures. */
export interface XmlPackages {
  DOMParser: typeof DOMParser
  SignedXml: typeof SignedXml
}

/** @throws Error that says what to install if a package is missing */
export async function loadXmlPackages (): Promise<XmlPackages> {
  const why = 'The mock SAML provider'
  const { DOMParser } = await importOptional('@xmldom/xmldom', () => import('@xmldom/xmldom'), why)
  const { SignedXml } = await importOptional('xml-crypto', () => import('xml-crypto'), why)
  return { DOMParser, SignedXml }
}

/** Escapes text for an element or an attribute in double quotes. */
export const escapeXml = escapeHtml

/**
 * Returns the root element of an XML document, or `null` if it is not well-formed. Refuses DTDs, and also comments,
 * CDATA sections and processing instructions, which no SAML message needs.
 */
export function parseXml ({ DOMParser }: XmlPackages, text: string): Element | null {
  if (/<!|<\?(?!xml )/.test(text)) return null
  try {
    const parser = new DOMParser({
      errorHandler: (_level: string, message: string) => {
        throw new Error(message)
      }
    })
    return parser.parseFromString(text, 'text/xml').documentElement
  } catch {
    return null
  }
}

export function isElement (node: Node | null, namespace: string, name: string): node is Element {
  return node !== null && (node as Element).localName === name && (node as Element).namespaceURI === namespace
}

/** Returns the children of a name. */
export function children (element: Element, namespace: string, name: string): Element[] {
  return Array.from(element.childNodes).filter((node): node is Element => isElement(node, namespace, name))
}

/** Returns the only child of a name, or `null` if there is none or more than one. */
export function onlyChild (element: Element, namespace: string, name: string): Element | null {
  const [child = null, ...rest] = children(element, namespace, name)
  return rest.length === 0 ? child : null
}

/** Returns the text of an element that has no child elements; otherwise `null`. */
export function textOf (element: Element | null): string | null {
  if (element === null || Array.from(element.childNodes).some(({ nodeType }) => nodeType !== 3)) return null
  return element.textContent
}

/** Returns an attribute without namespace, or `null`. */
export function attribute (element: Element, name: string): string | null {
  return element.hasAttribute(name) ? element.getAttribute(name) : null
}
