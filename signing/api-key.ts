import { crc32 } from 'node:zlib'

import { randomBase62, toBase62 } from './base62.js'

/** 256 bits. */
const LENGTH = 43
const CHECKSUM_LENGTH = 6
const PREFIX_LENGTH = 11
const KEY = /^gh_[0-9A-Za-z]{49}$/

/**
 * Creates an API key: `gh_`, 43 random base62 characters, and a CRC-32 of both as 6 base62 characters, by which a
 * secret scanner recognises a key.
 *
 * @example
 * generateApiKey() // 'gh_…', 52 characters
 */
export function generateApiKey (): string {
  const start = `gh_${randomBase62(LENGTH)}`
  return start + checksumOf(start)
}

/**
 * Returns whether a string has the form and the checksum of an API key. Does not check that the key exists.
 *
 * @example
 * isApiKey('gh_abc') // false
 */
export function isApiKey (text: string): boolean {
  return KEY.test(text) && text.slice(-CHECKSUM_LENGTH) === checksumOf(text.slice(0, -CHECKSUM_LENGTH))
}

/** Returns the first characters of an API key, by which people recognise it. They leave 208 bits unknown. */
export function apiKeyPrefix (key: string): string {
  return key.slice(0, PREFIX_LENGTH)
}

function checksumOf (start: string): string {
  return toBase62(crc32(start), CHECKSUM_LENGTH)
}
