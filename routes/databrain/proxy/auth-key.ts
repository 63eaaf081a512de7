import { timingSafeEqual } from 'node:crypto'

import type { FastifyBaseLogger, FastifyRequest } from 'fastify'

import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { wrongKey } from '../../../plugins/proxy-key.js'
import { checkStrength, RotatingSecret } from '../../../lib/secrets/secret-source.js'
import type { SecretSource } from '../../../lib/secrets/secret-source.js'
import { sha256 } from '../../../signing/digest.js'

export const AUTH_KEY_HEADER = 'x-proxy-auth-key'

const NAME = 'databrain-proxy: "proxyKeys"'
const PRINTABLE = /^[\x21-\x7e]+$/

/**
 * Creates the check of a request's key. The check resolves with the first 8 hex digits of the key's SHA-256, and
 * rejects with `UNAUTHORIZED`. A repeated header never matches, because Node joins the values with a comma and a space.
 */
export async function authKeyCheck (
  keys: SecretSource<readonly string[]>,
  log: FastifyBaseLogger,
  maxAge?: number
): Promise<(request: FastifyRequest) => Promise<string>> {
  const current = await RotatingSecret.open(keys, { name: NAME, check: digestsOf, log, maxAge })
  if ((await current.get()).length === 0) {
    throw new INVALID_OPTIONS(`${NAME} is empty; create a key with \`npx fastify-gatehouse generate-key\``)
  }

  return async function keyOf ({ headers }) {
    const presented = headers[AUTH_KEY_HEADER]
    if (typeof presented !== 'string') throw wrongKey('no proxy key')
    const digest = sha256(presented)
    const known = (await current.get()).find((known) => timingSafeEqual(known, digest))
    if (known === undefined) throw wrongKey('unknown proxy key')
    return known.toString('hex', 0, 4)
  }
}

function digestsOf (keys: readonly string[]): Buffer[] {
  if (!Array.isArray(keys)) {
    throw new INVALID_OPTIONS(
      `${NAME} must be a list of keys; create a key with \`npx fastify-gatehouse generate-key\``
    )
  }
  return keys.map((key: string) => {
    checkStrength(NAME, key)
    if (!PRINTABLE.test(key)) {
      throw new INVALID_OPTIONS(
        `${NAME} must contain only printable ASCII characters without spaces, for use in a header`
      )
    }
    return sha256(key)
  })
}
