export type SiteverifyProvider = 'turnstile' | 'hcaptcha' | 'recaptcha'

/** The differences between the siteverify endpoints of the three products, from their documentation. */
export interface CaptchaProduct {
  siteverifyUrl: string
  /**
   * Maximum characters of a token that is sent to the product. Turnstile documents 2 048; hCaptcha's tokens can exceed
   * 4 000, and Google documents no limit.
   */
  maxToken: number
  /** Whether the response contains the action of the page. */
  hasActions: boolean
  hasScores: boolean
  /** Whether the product accepts `sitekey`, and then refuses tokens of other site keys of the account. */
  takesSiteKey: boolean
  /** Whether the product accepts an `idempotency_key`, so that a failed call can be retried. */
  mayRepeat: boolean
  /**
   * Secrets that the product publishes for tests. All tokens are valid with them, and the test token is always the
   * same.
   */
  testSecrets: readonly string[]
}

export const PRODUCTS: Readonly<Record<SiteverifyProvider, CaptchaProduct>> = {
  turnstile: {
    siteverifyUrl: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
    maxToken: 2_048,
    hasActions: true,
    hasScores: false,
    takesSiteKey: false,
    mayRepeat: true,
    testSecrets: ['1x0000000000000000000000000000000AA']
  },
  hcaptcha: {
    siteverifyUrl: 'https://api.hcaptcha.com/siteverify',
    maxToken: 8_192,
    hasActions: false,
    hasScores: false,
    takesSiteKey: true,
    mayRepeat: false,
    testSecrets: ['0x0000000000000000000000000000000000000000']
  },
  recaptcha: {
    siteverifyUrl: 'https://www.google.com/recaptcha/api/siteverify',
    maxToken: 8_192,
    hasActions: true,
    hasScores: true,
    takesSiteKey: false,
    mayRepeat: false,
    testSecrets: ['6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe']
  }
}
