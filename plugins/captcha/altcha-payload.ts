import type { ChallengeParameters, Payload } from 'altcha-lib'

/** Of a challenge with the longest action, and then some. */
const MAX_LENGTH = 2_048
const TEXTS = ['algorithm', 'nonce', 'salt', 'keyPrefix'] as const
const INTEGERS = ['cost', 'keyLength', 'expiresAt'] as const

/** A solution with its challenge, in the types that the library reads. */
export interface AltchaPayload extends Payload {
  challenge: { parameters: ChallengeParameters & { expiresAt: number }, signature: string }
}

/** What a page sends, base64 of JSON; `null` for anything of another form. Nothing of it is true yet. */
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
  const holds = typeof signature === 'string' && typeof derivedKey === 'string' && Number.isSafeInteger(counter) &&
    TEXTS.every((name) => typeof known[name] === 'string') && INTEGERS.every((name) => Number.isSafeInteger(known[name]))
  return holds ? { challenge: { parameters, signature }, solution: { counter, derivedKey } } as AltchaPayload : null
}

function members (value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {}
}
