/**
 * Returns a function that tells whether `Accept-Encoding` accepts a coding, by name or by `*`, with a weight above 0.
 *
 * @example
 * if (acceptedCodings(request.headers['accept-encoding'])('gzip')) body = gzipSync(body)
 */
export function acceptedCodings (header: string | string[] | undefined): (coding: string) => boolean {
  const weights = new Map<string, number>()
  for (const entry of String(header ?? '').toLowerCase().split(',')) {
    const [coding = '', ...parameters] = entry.split(';').map((part) => part.trim())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    weights.set(coding, weight === undefined ? 1 : Number(weight.slice(2)))
  }
  return (coding) => (weights.get(coding) ?? weights.get('*') ?? 0) > 0
}
