/* global crypto, fetch, btoa, performance */
// The browser derives keys on its own threads, so the page stays responsive without a worker. `crypto.subtle` requires
// https or localhost.
const AT_ONCE = 16

/**
 * Fetches a challenge, solves it and returns the value of `X-Captcha-Token`, which is valid once. `url` is the
 * challenge route, with `?action=` if the guarded route requires an action. `within` is the maximum time in
 * milliseconds; the expiry of the challenge is not used, because the visitor's clock may be wrong. Throws an Error
 * whose message is safe to show.
 */
export async function solveCaptcha (url = '/captcha/challenge', { within = 120_000 } = {}) {
  const end = performance.now() + within
  const response = await fetch(url, { cache: 'no-store' })
  const challenge = await response.json()
  if (!response.ok) throw new Error(challenge.error?.message ?? `${response.status}`)
  return btoa(JSON.stringify({ challenge, solution: await solve(challenge.parameters, end) }))
}

/** Finds the counter, starting at 0, whose derived key has the required prefix. */
async function solve ({ algorithm, cost, keyLength, keyPrefix, nonce, salt }, end) {
  if (algorithm !== 'PBKDF2/SHA-256') throw new Error('This page does not support this captcha')
  if (crypto.subtle === undefined) throw new Error('The captcha requires https')
  const settings = { name: 'PBKDF2', hash: 'SHA-256', iterations: cost, salt: bytesOf(salt) }
  const start = bytesOf(nonce)

  async function attempt (counter) {
    const password = new Uint8Array(start.length + 4)
    password.set(start)
    new DataView(password.buffer).setUint32(start.length, counter)
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
    const derivedKey = hexOf(await crypto.subtle.deriveBits(settings, key, keyLength * 8))
    return { counter, derivedKey }
  }

  for (let first = 0; performance.now() < end; first += AT_ONCE) {
    const tries = await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => attempt(first + at)))
    const found = tries.find(({ derivedKey }) => derivedKey.startsWith(keyPrefix))
    if (found !== undefined) return found
  }
  throw new Error('The captcha was not solved in time')
}

function bytesOf (hex) {
  return Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16))
}

function hexOf (buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
