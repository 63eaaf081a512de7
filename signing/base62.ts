import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * Bytes from here up are discarded: 248 is the largest multiple of 62 in a byte, so each character is equally likely.
 */
const CEILING = 256 - 256 % ALPHABET.length

/** Returns `length` random letters and digits, 5.95 bits of entropy each. */
export function randomBase62 (length: number): string {
  let random = ''
  while (random.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < CEILING && random.length < length) random += ALPHABET.charAt(byte % ALPHABET.length)
    }
  }
  return random
}
