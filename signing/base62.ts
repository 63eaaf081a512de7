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

/** Returns a non-negative integer in base 62, with leading zeros up to `length` characters. */
export function toBase62 (value: number, length: number): string {
  let digits = ''
  for (let rest = value; rest > 0; rest = Math.floor(rest / ALPHABET.length)) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits
  }
  return digits.padStart(length, '0')
}
