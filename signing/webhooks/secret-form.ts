import type { WebhookProvider } from './providers.js'

interface SecretFormat {
  /** Matches every secret of the provider. */
  readonly form?: RegExp
  /** Describes the secret, for the error message. */
  readonly description: string
  /** Other credentials, with recognisable prefixes, that are often pasted by mistake. */
  readonly mistakes: ReadonlyArray<readonly [start: RegExp, description: string]>
}

const STANDARD = 'a secret of Stripe or of Standard Webhooks'
const PRINTABLE = /^[\x21-\x7e]+$/
const QUOTE = /^["'`\u2018-\u201d]|["'`\u2018-\u201d]$/

const FORMATS: Readonly<Record<Exclude<WebhookProvider, 'custom'>, SecretFormat>> = {
  stripe: {
    form: /^whsec_./,
    description: 'the signing secret of the endpoint, which begins with whsec_',
    mistakes: [
      [/^(?:sk|rk)_(?:live|test)_/, 'an API key'], [/^pk_(?:live|test)_/, 'a publishable key'],
      [/^we_/, 'the id of an endpoint'], [/^(?:acct|ca)_/, 'the id of an account']
    ]
  },
  shopify: {
    description: 'the client secret of the app, or the secret that the shop shows below its webhooks',
    mistakes: [[/^shp(?:at|ua|ca|pa|tka)_/, 'an access token'], [/^whsec_/, STANDARD]]
  },
  hubspot: {
    description: 'the client secret of the app',
    mistakes: [[/^pat-/, 'an access token of a private app'], [/^whsec_/, STANDARD], [/^https?:/, 'a URL']]
  },
  standard: {
    form: /^(?:whsec_)?[0-9A-Za-z+/]+={0,2}$/,
    description: 'whsec_ and standard base64',
    mistakes: [
      [/^whpk_/, 'a public key of v1a; only v1 is supported'],
      [/^whsk_/, 'a private key of v1a; only v1 is supported'],
      [/^(?:sk|rk|pk)_(?:live|test)_/, 'a key of Stripe'], [/^(?:testsk_|sk_)/, 'an API key']
    ]
  }
}

/**
 * Returns what is wrong with an entered webhook secret, as a message for the administrator that does not contain the
 * secret, or `null`. Detects copy-and-paste mistakes (spaces, line ends, quotes) and credentials of another kind, each
 * of which would make every delivery fail.
 *
 * @example
 * webhookSecretError('stripe', 'sk_live_…')
 * // 'is an API key; it must be the signing secret of the endpoint, which begins with whsec_'
 */
export function webhookSecretError (provider: WebhookProvider, secret: string): string | null {
  if (provider === 'custom') {
    return /^\s|\s$|\p{Cc}/u.test(secret) ? 'must not begin or end with a space, nor contain a line end' : null
  }
  const { form, description, mistakes } = FORMATS[provider]
  if (/\s/.test(secret)) return 'must not contain a space or a line end'
  if (QUOTE.test(secret)) return 'must be entered without quotes'
  if (!PRINTABLE.test(secret)) return 'must contain only letters, digits and symbols of ASCII'
  const mistake = mistakes.find(([start]) => start.test(secret))
  if (mistake !== undefined) return `is ${mistake[1]}; it must be ${description}`
  return form === undefined || form.test(secret) ? null : `must be ${description}`
}
