import { INVALID_OPTIONS } from '../errors.js'
import { parseUrl } from '../../signing/parse-url.js'

export interface NatsServers {
  /** Host and port of each. */
  servers: string[]
  credentials: { user?: string, password?: string, token?: string }
  /** Whether one of them says `tls://`. */
  demandsTls: boolean
}

const EXAMPLE = 'nats://127.0.0.1:4222'
const DEFAULT_PORT = '4222'

/** Reads the addresses of one cluster; what is wrong is said without the text, which may hold a password. */
export function readNatsUrls (url: string | readonly string[]): NatsServers {
  const texts = (typeof url === 'string' ? url.split(',') : [...url]).map((text) => text.trim()).filter((text) => text !== '')
  if (texts.length === 0) throw new INVALID_OPTIONS(`nats: "url" is empty; an address is ${EXAMPLE}`)
  const urls = texts.map(parse)
  const [first] = urls as [URL]
  const carrying = urls.filter(({ username }) => username !== '')
  if (carrying.some(({ username, password }) => username !== carrying[0]?.username || password !== carrying[0].password)) {
    throw new INVALID_OPTIONS('nats: the addresses in "url" carry different credentials')
  }
  const { username, password } = carrying[0] ?? first
  const credentials = username === '' ? {} : password === '' ? { token: decode(username) } : { user: decode(username), password: decode(password) }
  return { servers: urls.map(({ hostname, port }) => `${hostname}:${port === '' ? DEFAULT_PORT : port}`), credentials, demandsTls: urls.some(({ protocol }) => protocol === 'tls:') }
}

function parse (text: string): URL {
  const withScheme = text.includes('://') ? text : `nats://${text}`
  const url = parseUrl(withScheme)
  if (url === null || url.hostname === '' || !['nats:', 'tls:'].includes(url.protocol) || !['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
    throw new INVALID_OPTIONS(`nats: "url" holds something that is no address; one is ${EXAMPLE}, or tls://host:4222`)
  }
  return url
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new INVALID_OPTIONS('nats: the credentials in "url" are not percent-encoded as they should be')
  }
}
