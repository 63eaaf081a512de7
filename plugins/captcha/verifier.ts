export interface RequiredCaptcha {
  /** The action for which the captcha must be solved; `null` accepts all. */
  action: string | null
  /** Address of the client. */
  address: string
}

/** A valid token. */
export interface SolvedCaptcha {
  /** The canonical name of the token, for single use; `null` allows repeated use. */
  claim: string | null
  /** Time for which the token would still be accepted, in milliseconds. */
  ttl: number
}

export interface CaptchaVerifier {
  /**
   * Resolves for a valid token. Rejects with `CAPTCHA_FAILED`, with the reason for the log, for an invalid token and if
   * the check fails.
   */
  verify (token: string, required: RequiredCaptcha): Promise<SolvedCaptcha>
}
