/** Secrets that the server returned once, by source, until the user has kept them. */
const secrets = new Map<string, string>()
/** When the former secret of a source ends, as far as this page has rotated it: the server does not tell it. */
const oldEnds = new Map<string, string>()

export function keepSecret (source: string, secret: string): void {
  secrets.set(source, secret)
}

export function secretOf (source: string): string | undefined {
  return secrets.get(source)
}

export function dropSecret (source: string): void {
  secrets.delete(source)
}

export function oldSecretEnd (source: string): string | undefined {
  const end = oldEnds.get(source)
  return end !== undefined && Date.parse(end) > Date.now() ? end : undefined
}

export function setOldSecretEnd (source: string, end: string | undefined): void {
  if (end === undefined) oldEnds.delete(source)
  else oldEnds.set(source, end)
}
