import {
  attribute,
  children,
  childrenOf,
  elementsOf,
  hasComment,
  InvalidMessage,
  isNamed,
  requiredChild,
  SIGNATURE,
  textOf
} from './xml.js'

const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
const SIGNATURE_METHODS = [
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512'
]
const DIGEST_METHODS = ['http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2001/04/xmlenc#sha512']
const ID_NAMES = ['ID', 'Id', 'id']
const ID = /^[A-Za-z_][A-Za-z0-9_.-]{0,255}$/

/**
 * Checks, before any signature is verified, that a document cannot mean one thing to the verification of signatures and
 * another to the reader: each ID is unique, and each signature signs its parent element, whole and in the form that
 * SAML prescribes (core, section 5.4), with an accepted algorithm. `signed` are the only elements that may have a
 * signature. Throws `InvalidMessage`.
 */
export function checkSignatureProfile (root: Element, signed: readonly Element[]): void {
  const elements = elementsOf(root)
  checkIds(elements)
  for (const element of elements) {
    if (element.localName !== 'Signature') continue
    if (element.namespaceURI !== SIGNATURE) throw new InvalidMessage('a Signature is in another namespace')
    const parent = signed.find((candidate) => candidate === element.parentNode)
    if (parent === undefined) throw new InvalidMessage('a signature is not in a signed element')
    checkSignature(element, parent)
  }
  for (const element of signed) {
    if (children(element, SIGNATURE, 'Signature').length > 1) throw new InvalidMessage('an element has two signatures')
  }
}

export function isSigned (element: Element): boolean {
  return children(element, SIGNATURE, 'Signature').length > 0
}

function checkIds (elements: readonly Element[]): void {
  const ids = elements.flatMap((element) => ID_NAMES.map((name) => attribute(element, name)))
    .filter((id) => id !== null)
  if (new Set(ids).size !== ids.length) throw new InvalidMessage('two elements have the same ID')
}

function checkSignature (signature: Element, parent: Element): void {
  if (hasComment(signature)) throw new InvalidMessage('the signature has a comment')
  checkChildren(signature, ['SignedInfo', 'SignatureValue'], ['KeyInfo'])
  const signedInfo = requiredChild(signature, SIGNATURE, 'SignedInfo')
  checkChildren(signedInfo, ['CanonicalizationMethod', 'SignatureMethod', 'Reference'])
  checkAlgorithm(signedInfo, 'CanonicalizationMethod', [EXCLUSIVE])
  checkAlgorithm(signedInfo, 'SignatureMethod', SIGNATURE_METHODS)
  const reference = requiredChild(signedInfo, SIGNATURE, 'Reference')
  checkChildren(reference, ['Transforms', 'DigestMethod', 'DigestValue'])
  checkAlgorithm(reference, 'DigestMethod', DIGEST_METHODS)
  textOf(requiredChild(reference, SIGNATURE, 'DigestValue'))
  textOf(requiredChild(signature, SIGNATURE, 'SignatureValue'))
  const id = attribute(parent, 'ID') ?? ''
  if (!ID.test(id) || attribute(reference, 'URI') !== `#${id}`) {
    throw new InvalidMessage('the signature does not sign its parent element')
  }
  checkTransforms(requiredChild(reference, SIGNATURE, 'Transforms'))
}

function checkTransforms (transforms: Element): void {
  const algorithms = childrenOf(transforms).map((transform) => {
    const isPlain = isNamed(transform, SIGNATURE, 'Transform') &&
      childrenOf(transform).every((child) => isNamed(child, EXCLUSIVE, 'InclusiveNamespaces'))
    return isPlain ? attribute(transform, 'Algorithm') : null
  })
  if (algorithms.length !== 2 || algorithms[0] !== ENVELOPED || algorithms[1] !== EXCLUSIVE) {
    throw new InvalidMessage('the transforms of the signature are not accepted')
  }
}

/** Checks that the children are exactly those of the names, in this order, and then at most the `optional` ones. */
function checkChildren (element: Element, names: readonly string[], optional: readonly string[] = []): void {
  const found = childrenOf(element).map(({ localName, namespaceURI }) => namespaceURI === SIGNATURE ? localName : '')
  const expected = [...names, ...optional].slice(0, Math.max(found.length, names.length))
  if (found.join() !== expected.join()) throw new InvalidMessage(`the ${element.localName} is not in the accepted form`)
}

function checkAlgorithm (element: Element, name: string, accepted: readonly string[]): void {
  const algorithm = attribute(requiredChild(element, SIGNATURE, name), 'Algorithm')
  if (!accepted.some((known) => known === algorithm)) {
    throw new InvalidMessage(`the ${name} of the signature is not accepted`)
  }
}
