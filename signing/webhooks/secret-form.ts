import type { WebhookProvider } from './providers.js'

interface Form {
  /** What every secret of the provider matches. */
  readonly form?: RegExp
  /** What a secret is, for the message. */
  readonly is: string
  /** Other things that begin in a way of their own, and are pasted by mistake. */
  readonly others: ReadonlyArray<readonly [start: RegExp, is: string]>
}

const STANDARD = 'a secret of Stripe or of Standard Webhooks'
const PRINTABLE = /^[\x21-\x7e]+$/
const QUOTE = /^["'`\u2018-\u201d]|["'`\u2018-\u201d]$/

const FORMS: Readonly<Record<Exclude<WebhookProvider, 'custom'>, Form>> = {
  stripe: {
    form: /^whsec_./,
    is: 'the signing secret of the endpoint, which begins with whsec_',
    others: [[/^(?:sk|rk)_(?:live|test)_/, 'an API key'], [/^pk_(?:live|test)_/, 'a publishable key'], [/^we_/, 'the id of an endpoint'], [/^(?:acct|ca)_/, 'the id of an account']]
  },
  shopify: {
    is: 'the client secret of the app, or the secret that the shop shows below its webhooks',
    others: [[/^shp(?:at|ua|ca|pa|tka)_/, 'an access token'], [/^whsec_/, STANDARD]]
  },
  hubspot: {
    is: 'the client secret of the app',
    others: [[/^pat-/, 'an access token of a private app'], [/^whsec_/, STANDARD], [/^https?:/, 'a URL']]
  },
  standard: {
    form: /^(?:whsec_)?[0-9A-Za-z+/]+={0,2}$/,
    is: 'whsec_ and standard base64',
    others: [[/^whpk_/, 'a public key, which signs by v1a; only v1 is supported'], [/^whsk_/, 'a private key, which signs by v1a; only v1 is supported'],
      [/^(?:sk|rk|pk)_(?:live|test)_/, 'a key of Stripe'], [/^(?:testsk_|sk_)/, 'an API key']]
  }
}

/**
 * What is wrong with a webhook secret that somebody entered, in words for that person and without the secret; `null`: nothing. It finds
 * what comes with copy and paste (spaces, line ends, quotes) and keys of another kind, each of which would make every delivery fail.
 *
 * @example
 * webhookSecretFault('stripe', 'sk_live_…')  // 'is an API key; it must be the signing secret of the endpoint, which begins with whsec_'
 */
export function webhookSecretFault (provider: WebhookProvider, secret: string): string | null {
  if (provider === 'custom') return /^\s|\s$|\p{Cc}/u.test(secret) ? 'must not begin or end with a space, nor contain a line end' : null
  const { form, is, others } = FORMS[provider]
  if (/\s/.test(secret)) return 'must not contain a space or a line end'
  if (QUOTE.test(secret)) return 'must be entered without quotes'
  if (!PRINTABLE.test(secret)) return 'must contain only letters, digits and signs of ASCII'
  const other = others.find(([start]) => start.test(secret))
  if (other !== undefined) return `is ${other[1]}; it must be ${is}`
  return form === undefined || form.test(secret) ? null : `must be ${is}`
}
