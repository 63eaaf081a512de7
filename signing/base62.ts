import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Bytes from here up are thrown away: 248 is the last multiple of 62 in a byte, so that each character is equally likely. */
const CEILING = 256 - 256 % ALPHABET.length

/** Random letters and digits, 5.95 bits each. */
export function randomBase62 (length: number): string {
  let random = ''
  while (random.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < CEILING && random.length < length) random += ALPHABET.charAt(byte % ALPHABET.length)
    }
  }
  return random
}
