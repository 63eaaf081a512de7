import type { Environment } from './environment.js'
import type { Problems } from './problems.js'
import { parseUrl } from '../../signing/parse-url.js'

/** `secret` and `hostnames` are for the products that are asked; ALTCHA is checked here. */
export type CaptchaConfig =
  | { provider: 'altcha' }
  | { provider: 'turnstile' | 'hcaptcha' | 'recaptcha', secret: string, hostnames: string[] }

const HOSTNAME = /^[a-z0-9._-]+$/i

export function captchaOf (environment: Environment, embedOrigins: readonly string[] | null, problems: Problems): CaptchaConfig | null {
  const { CAPTCHA: provider, CAPTCHA_SECRET: secret, CAPTCHA_HOSTNAMES: hosts } = environment
  if (provider === 'off' || provider === 'altcha') {
    const meant = provider === 'off' ? 'CAPTCHA is off' : 'ALTCHA asks nobody'
    if (secret !== undefined) problems.add('CAPTCHA_SECRET', `has no use: ${meant}; unset it, or name the product in CAPTCHA`)
    return provider === 'off' ? null : { provider }
  }
  if (secret === undefined) problems.add('CAPTCHA_SECRET', `is missing: it is the secret key that ${provider} gave`)
  const hostnames = hosts === undefined
    ? (embedOrigins ?? []).flatMap((origin) => parseUrl(origin)?.hostname ?? [])
    : hosts.split(',').map((host) => host.trim()).filter((host) => host !== '')
  if (hostnames.length === 0) problems.add('CAPTCHA_HOSTNAMES', 'is missing, and EMBED_ORIGINS too: which pages show the captcha must be known')
  else if (!hostnames.every((host) => HOSTNAME.test(host))) problems.add('CAPTCHA_HOSTNAMES', 'must be host names such as app.example.com')
  return { provider, secret: secret ?? '', hostnames }
}
