/**
 * Returns the value of a header that occurs once, `undefined` if it is missing, or `null` if it occurs more than once.
 * Node.js keeps only the first `Authorization` or `Host` header in `headers` and silently drops the others.
 *
 * @param name in lower case
 * @example
 * if (singleHeader(request.raw.rawHeaders, 'authorization') === null) return refuse(reply, new UNAUTHORIZED())
 */
export function singleHeader (rawHeaders: readonly string[], name: string): string | undefined | null {
  let value: string | undefined
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at]
    if (header?.length !== name.length || header.toLowerCase() !== name) continue
    if (value !== undefined) return null
    value = rawHeaders[at + 1]
  }
  return value
}
