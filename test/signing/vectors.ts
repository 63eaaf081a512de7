import { readFileSync } from 'node:fs'

interface Signatures {
  dxfeed: Array<
    { secret: string, issuer: string, session: string, message: string, minutes: number, now: number, token: string }
  >
  dxfeedExplicit: Array<
    {
      secret: string
      issuer: string
      session: string
      expiration: number
      issuedAt: number
      message: string
      token: string
    }
  >
  boldbi: Array<{ secret: string, query: string, signature: string }>
  datafly: Array<{ secret: string, body: string, header: string }>
  dataflyTimestamped: Array<{ secret: string, body: string, timestamp: string, header: string }>
}

interface HmacCase {
  key: string
  data: string
  tag?: string
  tag_truncated_128?: string
}
interface TextCase {
  key: string
  data_text: string
  tag: string
}
interface HeaderCase {
  id: string
  secret: string
  body?: string
  header: string
  valid: boolean
}

/** Input and output of the products' own published algorithms. */
export const signatures = read('signatures.json') as Signatures

export const rfc4231Cases = (read('hmac/rfc4231_hmac_sha256.json') as { cases: HmacCase[] }).cases.map(
  ({ key, data, tag, tag_truncated_128 }) => {
    return { key, data, tag: { hex: tag ?? tag_truncated_128 ?? '', truncated: tag === undefined } }
  }
)

export const nistCases = (read('hmac/nist_openssl_hmac_sha256.json') as { cases: TextCase[] }).cases

export const githubCases = (read('hmac/sha256_header_github.json') as { cases: HeaderCase[] }).cases

/** The text of a file under test/vectors. */
export function vectorText (path: string): string {
  return readFileSync(new URL(`../vectors/${path}`, import.meta.url), 'utf8')
}

function read (path: string): unknown {
  return JSON.parse(vectorText(path))
}
