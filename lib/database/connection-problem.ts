const CERTIFICATE = /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER_CERT(?:_LOCALLY)?|VERIFY_LEAF_SIGNATURE)|CERT_[A-Z_]+|ERR_TLS_CERT_ALTNAME_INVALID)$/

const CAUSES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no host of this name is known',
  EAI_AGAIN: 'the name of the host can\'t be looked up just now',
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to this host',
  ENOENT: 'there is no such socket'
}

/** Why no connection to a server can be made, in words that name the problem and where the server was looked for. */
export function connectionProblem (error: unknown, target: string): Error {
  return new Error(`PostgreSQL can't be reached (${target}): ${problem(error)}`, { cause: error })
}

function problem (error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown, message?: unknown }
  const text = typeof message === 'string' ? message : String(error)
  if (typeof code === 'string') {
    const known = CAUSES[code]
    if (known !== undefined) return known
    if (CERTIFICATE.test(code)) return `its certificate is not trusted (${text}); name the file of its authority in sslrootcert`
  }
  if (/timeout/.test(text)) return 'it does not answer in time'
  if (/client password must be a string/.test(text)) return 'it asks for a password, and the URL has none'
  if (/does not support SSL/.test(text)) return 'it does not speak TLS, which sslmode demands'
  if (/unsupported startup parameter/.test(text)) return `${text}; a PgBouncer lets it pass where ignore_startup_parameters names it`
  return text
}
