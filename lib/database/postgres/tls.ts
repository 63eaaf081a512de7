import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'

/** URL parameters that are read here and removed, as `pg` interprets them differently. */
const PARAMETERS = ['sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation', 'uselibpqcompat'] as const
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const
type Mode = typeof MODES[number]

/** The TLS settings of a URL. */
export interface PostgresTls {
  /** The URL without its TLS parameters. */
  connectionString: string
  /** Left out if the URL has no TLS parameters: the connection is not encrypted. */
  ssl?: false | ConnectionOptions
  sslnegotiation?: 'postgres' | 'direct'
  /** Describes a setting that is less secure than it looks; `null` for none. */
  warning: string | null
}

/**
 * Reads the TLS parameters of a URL by libpq's rules. `pg` 8 treats `require` and `verify-ca` as `verify-full`, so that
 * the usual URL of a server with a self-signed certificate fails; its next major version follows libpq.
 *
 * @throws an Error that names the parameter, for an unknown value or an unreadable file
 */
export async function readPostgresTls (url: string): Promise<PostgresTls> {
  const [address = '', query = ''] = splitQuery(url)
  const parameters = new URLSearchParams(query)
  const [sslmode, ssl, rootCert, cert, key, negotiation] = PARAMETERS.map((name) => parameters.get(name) ?? undefined)
  const mode = parseMode(
    sslmode ?? modeOfSslParameter(ssl) ??
      (rootCert !== undefined || cert !== undefined || negotiation === 'direct' ? 'verify-full' : process.env.PGSSLMODE)
  )
  if (mode === null) return { connectionString: url, warning: null }

  for (const name of PARAMETERS) parameters.delete(name)
  const rest = parameters.toString()
  const connectionString = rest === '' ? address : `${address}?${rest}`
  if (mode === 'disable') return { connectionString, ssl: false, warning: null }

  if (rootCert === 'system' && mode !== 'verify-full') {
    throw new Error('The database URL has sslrootcert=system, which requires sslmode=verify-full')
  }
  if (rootCert === undefined && mode === 'verify-ca') {
    throw new Error(
      'The database URL has sslmode=verify-ca without a certificate authority: set sslrootcert to its file, or ' +
        'set sslmode=verify-full'
    )
  }
  const [ca, ownCert, ownKey] = await Promise.all([
    rootCert === 'system' ? undefined : readParameterFile('sslrootcert', rootCert),
    readParameterFile('sslcert', cert),
    readParameterFile('sslkey', key)
  ])
  return {
    connectionString,
    ssl: {
      ...verificationOptions(mode, ca !== undefined),
      ...(ca && { ca }),
      ...(ownCert && { cert: ownCert }),
      ...(ownKey && { key: ownKey })
    },
    ...(negotiation === 'direct' && { sslnegotiation: negotiation }),
    warning: mode === 'require' && ca === undefined
      ? 'The connection to PostgreSQL is encrypted, but sslmode=require trusts any server; set sslrootcert to the ' +
        'certificate ' +
        'of its authority, and sslmode=verify-full'
      : null
  }
}

/** As in libpq, `require` with a certificate authority verifies the certificate. */
function verificationOptions (mode: Mode, hasAuthority: boolean): ConnectionOptions {
  if (mode === 'verify-full') return {}
  return mode === 'require' && !hasAuthority ? { rejectUnauthorized: false } : { checkServerIdentity: () => undefined }
}

function splitQuery (url: string): string[] {
  const at = url.indexOf('?')
  return at === -1 ? [url] : [url.slice(0, at), url.slice(at + 1)]
}

function parseMode (value: string | undefined): Mode | null {
  if (value === undefined || value === '') return null
  if (value === 'no-verify') return 'require'
  const mode = MODES.find((mode) => mode === value)
  if (mode === undefined) {
    throw new Error(
      `The database URL (or PGSSLMODE) has sslmode=${value.slice(0, 20)}; it must be one of ${MODES.join(', ')}`
    )
  }
  return mode
}

/** Reads the parameter `ssl`, which only `pg` has. */
function modeOfSslParameter (ssl: string | undefined): string | undefined {
  if (ssl === undefined) return undefined
  return ssl === 'true' || ssl === '1' ? 'verify-full' : ssl === 'false' || ssl === '0' ? 'disable' : ssl
}

async function readParameterFile (parameter: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined || path === '') return undefined
  return await readFile(path, 'utf8').catch((cause: Error) => {
    throw new Error(`The file in the database URL's ${parameter} cannot be read: ${cause.message}`, { cause })
  })
}
