import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'

/** The parameters of the URL that are read here, so that `pg` does not read them in its own way. */
const PARAMETERS = ['sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation', 'uselibpqcompat'] as const
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const
type Mode = typeof MODES[number]

export interface PostgresTls {
  /** Without what is said of TLS. */
  connectionString: string
  /** Left out where nothing is said: then the connection is not encrypted. */
  ssl?: false | ConnectionOptions
  sslnegotiation?: 'postgres' | 'direct'
  /** What is less safe than it looks. */
  warning: string | null
}

/**
 * What a URL says of TLS, by libpq's rules. `pg` 8 takes `require` and `verify-ca` for `verify-full`, so that the usual URL of a server
 * with a certificate of its own fails; its next major version goes by libpq.
 *
 * @throws an Error that names the parameter, for one that is unknown or a file that can't be read
 */
export async function readPostgresTls (url: string): Promise<PostgresTls> {
  const [address = '', query = ''] = split(url)
  const parameters = new URLSearchParams(query)
  const [sslmode, ssl, rootCert, cert, key, negotiation] = PARAMETERS.map((name) => parameters.get(name) ?? undefined)
  const mode = modeOf(sslmode ?? modeOfSsl(ssl) ?? (rootCert !== undefined || cert !== undefined || negotiation === 'direct' ? 'verify-full' : process.env.PGSSLMODE))
  if (mode === null) return { connectionString: url, warning: null }

  for (const name of PARAMETERS) parameters.delete(name)
  const rest = parameters.toString()
  const connectionString = rest === '' ? address : `${address}?${rest}`
  if (mode === 'disable') return { connectionString, ssl: false, warning: null }

  if (rootCert === 'system' && mode !== 'verify-full') throw new Error('The database URL says sslrootcert=system, which is for sslmode=verify-full alone')
  if (rootCert === undefined && mode === 'verify-ca') throw new Error('The database URL says sslmode=verify-ca but not whose certificates to trust: name the file in sslrootcert, or say sslmode=verify-full')
  const [ca, ownCert, ownKey] = await Promise.all([
    rootCert === 'system' ? undefined : file('sslrootcert', rootCert), file('sslcert', cert), file('sslkey', key)
  ])
  return {
    connectionString,
    ssl: { ...check(mode, ca !== undefined), ...(ca && { ca }), ...(ownCert && { cert: ownCert }), ...(ownKey && { key: ownKey }) },
    ...(negotiation === 'direct' && { sslnegotiation: negotiation }),
    warning: mode === 'require' && ca === undefined
      ? 'The connection to PostgreSQL is encrypted, but sslmode=require trusts any server that answers; name the certificate of its authority in sslrootcert and say sslmode=verify-full'
      : null
  }
}

/** As libpq has it, an authority that is named is also asked where only encryption was required. */
function check (mode: Mode, hasAuthority: boolean): ConnectionOptions {
  if (mode === 'verify-full') return {}
  return mode === 'require' && !hasAuthority ? { rejectUnauthorized: false } : { checkServerIdentity: () => undefined }
}

function split (url: string): string[] {
  const at = url.indexOf('?')
  return at === -1 ? [url] : [url.slice(0, at), url.slice(at + 1)]
}

function modeOf (text: string | undefined): Mode | null {
  if (text === undefined || text === '') return null
  if (text === 'no-verify') return 'require'
  const mode = MODES.find((mode) => mode === text)
  if (mode === undefined) {
    throw new Error(`The database URL (or PGSSLMODE) says sslmode=${text.slice(0, 20)}; it must be ${MODES.join(', ')}`)
  }
  return mode
}

/** The spellings that `pg` has of its own. */
function modeOfSsl (ssl: string | undefined): string | undefined {
  if (ssl === undefined) return undefined
  return ssl === 'true' || ssl === '1' ? 'verify-full' : ssl === 'false' || ssl === '0' ? 'disable' : ssl
}

async function file (parameter: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined || path === '') return undefined
  return await readFile(path, 'utf8').catch((cause: Error) => {
    throw new Error(`The file that the database URL names as ${parameter} can't be read: ${cause.message}`, { cause })
  })
}
