import { attribute, InvalidMessage } from './xml.js'

/** The form of `xs:dateTime` in SAML: always with a time zone. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/** Returns a time attribute as epoch milliseconds; `null` if it is absent. Throws `InvalidMessage`. */
export function instantOf (element: Element, name: string): number | null {
  const text = attribute(element, name)
  if (text === null) return null
  const time = DATE_TIME.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(time)) throw new InvalidMessage(`${name} is not a time`)
  return time
}

/** Throws `InvalidMessage` if `now` is before `NotBefore`, or at or after `NotOnOrAfter`, give or take the skew. */
export function checkPeriod (element: Element, { now, skew }: { now: number, skew: number }): void {
  const [notBefore, notOnOrAfter] = [instantOf(element, 'NotBefore'), instantOf(element, 'NotOnOrAfter')]
  if (notBefore !== null && now + skew < notBefore) throw new InvalidMessage(`${element.localName} is not yet valid`)
  if (notOnOrAfter !== null && now - skew >= notOnOrAfter) throw new InvalidMessage(`${element.localName} has expired`)
}
