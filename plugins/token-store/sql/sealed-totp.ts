import type { SecretBox } from '../../../signing/secret-box.js'

/** Encrypts the TOTP secret of a user: a copy in the row of another user cannot be decrypted. */
export function sealTotpSecret (box: SecretBox, userId: string, secret: string): string {
  return box.seal(secret, contextOf(userId))
}

export function openTotpSecret (box: SecretBox, userId: string, sealed: string): string {
  try {
    return box.open(sealed, contextOf(userId)).toString()
  } catch (error) {
    const { message } = error as Error
    throw new Error(`token-store: "secretsKeys" (SECRETS_KEY) cannot open a row of totp_factors: ${message}`, {
      cause: error
    })
  }
}

function contextOf (userId: string): string {
  return `totp_factors.sealed ${userId}`
}
