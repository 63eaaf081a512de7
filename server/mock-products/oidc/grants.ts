import { LiveTokens, secretForThisRun } from '../mock-product.js'
import type { ProviderSession } from '../sign-in/browser-sessions.js'

/** The lifetime of an access token, in seconds. */
export const ACCESS_TOKEN_SECONDS = 300
const CODE_AGE = 60_000

/** The grants that a person's sign-in gave to the app. */
export interface Grant {
  redirectUri: string
  /** The SHA-256 of the code verifier, as base64url. */
  codeChallenge: string
  nonce: string | null
  scopes: readonly string[]
  session: ProviderSession
  /** Epoch milliseconds. */
  authTime: number
}

interface Code {
  grant: Grant
  usableUntil: number
  isUsed: boolean
  accessToken: string | null
}

/** Authorization codes and access tokens. */
export class Grants {
  readonly #codes: LiveTokens<Code>
  readonly #accessTokens: LiveTokens<Grant>
  readonly #now: () => number

  constructor (now: () => number) {
    this.#now = now
    this.#codes = new LiveTokens(now)
    this.#accessTokens = new LiveTokens(now)
  }

  /** Issues a code that works once, for 60 seconds. */
  issueCode (grant: Grant): string {
    const code = secretForThisRun()
    const usableUntil = this.#now() + CODE_AGE
    // A used code is remembered for as long as its access token is valid.
    const forgottenAt = usableUntil + ACCESS_TOKEN_SECONDS * 1000
    this.#codes.add(code, { grant, usableUntil, isUsed: false, accessToken: null }, forgottenAt)
    return code
  }

  /**
   * Uses up a code and returns its grant. Returns `null` for an unknown, expired or used code; for a used code, also
   * revokes the access token that it gave.
   */
  redeem (code: string): Grant | null {
    const found = this.#codes.get(code)
    if (found === null) return null
    if (found.isUsed) {
      if (found.accessToken !== null) this.#accessTokens.take(found.accessToken)
      return null
    }
    found.isUsed = true
    return found.usableUntil > this.#now() ? found.grant : null
  }

  /** Issues the access token of a redeemed code. */
  issueAccessToken (code: string, grant: Grant): string {
    const token = secretForThisRun()
    this.#accessTokens.add(token, grant, this.#now() + ACCESS_TOKEN_SECONDS * 1000)
    const found = this.#codes.get(code)
    if (found !== null) found.accessToken = token
    return token
  }

  /** Returns the grant of a valid access token. */
  ofAccessToken (token: string): Grant | null {
    return this.#accessTokens.get(token)
  }
}
