import { INVALID_OPTIONS } from '../errors.js'
import { parseUrl } from '../../signing/parse-url.js'

export interface NatsServers {
  /** `host:port` of each server. */
  servers: string[]
  credentials: { user?: string, password?: string, token?: string }
  /** Whether one of the URLs starts with `tls://`. */
  demandsTls: boolean
}

const EXAMPLE = 'nats://127.0.0.1:4222'
const DEFAULT_PORT = '4222'

/** Parses the URLs of one cluster. Error messages do not quote a URL, as it may contain a password. */
export function readNatsUrls (url: string | readonly string[]): NatsServers {
  const addresses = (typeof url === 'string' ? url.split(',') : [...url]).map((text) => text.trim()).filter((text) =>
    text !== ''
  )
  if (addresses.length === 0) throw new INVALID_OPTIONS(`nats: "url" is empty; use a URL such as ${EXAMPLE}`)
  const urls = addresses.map(parse)
  const [first] = urls as [URL]
  const withCredentials = urls.filter(({ username }) => username !== '')
  if (
    withCredentials.some(({ username, password }) =>
      username !== withCredentials[0]?.username || password !== withCredentials[0].password
    )
  ) {
    throw new INVALID_OPTIONS('nats: the URLs in "url" have different credentials; use the same in all')
  }
  const { username, password } = withCredentials[0] ?? first
  const credentials = username === ''
    ? {}
    : password === ''
      ? { token: decode(username) }
      : { user: decode(username), password: decode(password) }
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port === '' ? DEFAULT_PORT : port}`),
    credentials,
    demandsTls: urls.some(({ protocol }) => protocol === 'tls:')
  }
}

function parse (text: string): URL {
  const withScheme = text.includes('://') ? text : `nats://${text}`
  const url = parseUrl(withScheme)
  if (
    url === null || url.hostname === '' || !['nats:', 'tls:'].includes(url.protocol) ||
    !['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== ''
  ) {
    throw new INVALID_OPTIONS(`nats: "url" contains an invalid URL; use ${EXAMPLE} or tls://host:4222`)
  }
  return url
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new INVALID_OPTIONS('nats: the credentials in "url" are not valid percent-encoding')
  }
}
