import type { ChallengeParameters, Payload } from 'altcha-lib'

/** Maximum characters of a token: more than a challenge with the longest action needs. */
const MAX_LENGTH = 2_048
const STRINGS = ['algorithm', 'nonce', 'salt', 'keyPrefix'] as const
const INTEGERS = ['cost', 'keyLength', 'expiresAt'] as const

/** A solution with its challenge, in the types of the library. */
export interface AltchaPayload extends Payload {
  challenge: { parameters: ChallengeParameters & { expiresAt: number }, signature: string }
}

/** Parses a page's solution, base64 of JSON; returns `null` for another form. The result is not verified. */
export function parseAltchaPayload (text: string): AltchaPayload | null {
  if (text.length > MAX_LENGTH) return null
  let payload: unknown
  try {
    payload = JSON.parse(Buffer.from(text, 'base64').toString())
  } catch {
    return null
  }
  const { challenge, solution } = members(payload)
  const { parameters, signature } = members(challenge)
  const { counter, derivedKey } = members(solution)
  const known = members(parameters)
  const isValid = typeof signature === 'string' && typeof derivedKey === 'string' && Number.isSafeInteger(counter) &&
    STRINGS.every((name) => typeof known[name] === 'string') &&
    INTEGERS.every((name) => Number.isSafeInteger(known[name]))
  return isValid ? { challenge: { parameters, signature }, solution: { counter, derivedKey } } as AltchaPayload : null
}

function members (value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {}
}
