import { randomBytes } from 'node:crypto'

import { sha256Hex } from '../../../signing/digest.js'

export interface RecoveryCodes {
  /** For the user, once. */
  readonly codes: readonly string[]
  /** For the store. */
  readonly digests: readonly string[]
}

const COUNT = 10
const BYTES = 15
const GROUP = 4
/** Crockford's base 32: no I, L, O and U, which are misread. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** Creates the recovery codes of a user: 120 random bits each, so that a digest needs neither salt nor cost. */
export function createRecoveryCodes (userId: string): RecoveryCodes {
  const codes = Array.from({ length: COUNT }, createCode)
  return { codes, digests: codes.map((code) => recoveryDigest(userId, code)) }
}

/** Returns the digest of a recovery code as typed: in any case, with or without separators, O for 0, I and L for 1. */
export function recoveryDigest (userId: string, typed: string): string {
  const code = typed.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1')
  return sha256Hex(`recovery code ${userId} ${code}`)
}

function createCode (): string {
  const bits = Array.from(randomBytes(BYTES), (byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET.charAt(Number.parseInt(five, 2))).join('')
  return (letters.match(new RegExp(`.{${GROUP}}`, 'g')) ?? []).join('-')
}
