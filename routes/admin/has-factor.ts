import type { UserFactors } from '../../contracts/token-store/index.js'

/** Returns whether a user has a second factor. */
export function hasFactor ({ totp, passkeys }: UserFactors): boolean {
  return totp !== null || passkeys.length > 0
}
