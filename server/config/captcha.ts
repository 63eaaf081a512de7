import type { Environment } from './environment.js'
import type { Problems } from './problems.js'
import { parseUrl } from '../../signing/parse-url.js'

/** `secret` and `hostnames` are for products that verify solutions remotely; the server verifies ALTCHA itself. */
export type CaptchaConfig =
  | { provider: 'altcha' }
  | { provider: 'turnstile' | 'hcaptcha' | 'recaptcha', secret: string, hostnames: string[] }

const HOSTNAME = /^[a-z0-9._-]+$/i

export function captchaOf (
  environment: Environment,
  embedOrigins: readonly string[] | null,
  problems: Problems
): CaptchaConfig | null {
  const { CAPTCHA: provider, CAPTCHA_SECRET: secret, CAPTCHA_HOSTNAMES: hosts } = environment
  if (provider === 'off' || provider === 'altcha') {
    const reason = provider === 'off' ? 'CAPTCHA is off' : 'CAPTCHA is altcha, which needs no secret'
    if (secret !== undefined) {
      problems.add('CAPTCHA_SECRET', `has no effect because ${reason}; unset it, or set CAPTCHA to the product`)
    }
    return provider === 'off' ? null : { provider }
  }
  if (secret === undefined) problems.add('CAPTCHA_SECRET', `is missing; set it to the secret key from ${provider}`)
  const hostnames = hosts === undefined
    ? (embedOrigins ?? []).flatMap((origin) => parseUrl(origin)?.hostname ?? [])
    : hosts.split(',').map((host) => host.trim()).filter((host) => host !== '')
  if (hostnames.length === 0) {
    problems.add('CAPTCHA_HOSTNAMES', 'is missing; set it, or EMBED_ORIGINS, to the hosts whose pages show the captcha')
  } else if (!hostnames.every((host) => HOSTNAME.test(host))) {
    problems.add('CAPTCHA_HOSTNAMES', 'must be a list of host names such as app.example.com')
  }
  return { provider, secret: secret ?? '', hostnames }
}
