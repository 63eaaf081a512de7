const CERTIFICATE_CODES =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER_CERT(?:_LOCALLY)?|VERIFY_LEAF_SIGNATURE)|CERT_[A-Z_]+|ERR_TLS_CERT_ALTNAME_INVALID)$/

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be resolved at the moment',
  ECONNREFUSED: 'no server listens on this port',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the host is unreachable',
  ENOENT: 'the socket does not exist'
}

/** Describes why a connection to PostgreSQL failed; `target` names the server without its password. */
export function connectError (error: unknown, target: string): Error {
  return new Error(`Cannot connect to PostgreSQL (${target}): ${reasonFor(error)}`, { cause: error })
}

function reasonFor (error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown, message?: unknown }
  const reason = typeof message === 'string' ? message : String(error)
  if (typeof code === 'string') {
    const known = REASONS[code]
    if (known !== undefined) return known
    if (CERTIFICATE_CODES.test(code)) {
      return `its certificate is not trusted (${reason}); set sslrootcert to the file of its certificate authority`
    }
  }
  if (/timeout/.test(reason)) return 'it does not respond in time'
  if (/client password must be a string/.test(reason)) return 'it requires a password, and the URL has none'
  if (/does not support SSL/.test(reason)) return 'it does not support TLS, which sslmode requires'
  if (/unsupported startup parameter/.test(reason)) {
    return `${reason}; for PgBouncer, add the parameter to ignore_startup_parameters`
  }
  return reason
}
