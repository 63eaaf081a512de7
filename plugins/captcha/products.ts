export type SiteverifyProvider = 'turnstile' | 'hcaptcha' | 'recaptcha'

/** What the three products document about their siteverify, where they differ. */
export interface CaptchaProduct {
  siteverifyUrl: string
  /** The longest token that is passed on. Turnstile documents 2 048; hCaptcha's have been seen above 4 000, and Google names no limit. */
  maxToken: number
  /** Whether its answer names the action that the page asked for. */
  hasActions: boolean
  hasScores: boolean
  /** Whether `sitekey` may be sent along, so that a token of another site key of the same account is refused. */
  takesSiteKey: boolean
  /** Whether one token may be asked for again with the same `idempotency_key`, so that a call that got lost can be repeated. */
  mayRepeat: boolean
  /** Secrets that the product publishes for tests: any token passes, and its own test token is always the same text. */
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
