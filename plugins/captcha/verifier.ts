export interface WantedCaptcha {
  /** What the captcha must have been solved for; `null`: anything. */
  action: string | null
  /** Of the client. */
  address: string
}

/** A token that holds. */
export interface SolvedCaptcha {
  /** Names the token, whatever else of its text could be written in another way; `null`: it need not be the first time. */
  claim: string | null
  /** How long it could still be presented, milliseconds. */
  ttl: number
}

export interface CaptchaVerifier {
  /** Resolves for a token that holds; rejects with `CAPTCHA_FAILED`, whose reason is for the log, for any other and where that can't be known. */
  verify (token: string, wanted: WantedCaptcha): Promise<SolvedCaptcha>
}
