import { isIP } from 'node:net'

import { Value } from '@sinclair/typebox/value'

import { isExactOrigin } from '../../lib/cors/exact-origin.js'
import { lengthProblem } from '../../lib/passwords/length.js'
import { parseUrl } from '../../signing/parse-url.js'
import { assertStrongSecret } from '../../signing/secret-strength/index.js'
import { EnvironmentSchema } from './environment.js'
import type { Environment, VariableName } from './environment.js'
import type { limitVariables } from './limit-variables.js'
import { Problems } from './problems.js'
import { mfaOf } from './mfa.js'
import type { MfaConfig } from './mfa.js'
import { ssoOf } from './sso.js'
import type { SsoConfig } from './sso.js'
import { identityOf } from './identity.js'
import type { IdentityConfig } from './identity.js'
import { captchaOf } from './captcha.js'
import type { CaptchaConfig } from './captcha.js'
import { databrainOf, boldbiOf, dxfeedOf } from './products.js'
import type { BoldBiConfig, DataBrainConfig, DxFeedConfig } from './products.js'

/**
 * The configuration of the built-in server. `null` means that the server generates the value or starts a mock product.
 */
export interface Config {
  production: boolean
  host: string
  port: number
  logLevel: Environment['LOG_LEVEL']
  trustProxy: false | string[]
  dataDir: string
  database: { url: string, max: number } | null
  /** Redis, shared by the instances; `null`: not used. */
  redis: { url: string } | null
  /** The broker that stores the events first; `null`: the database stores them directly. */
  nats: {
    url: string
    stream: string
    replicas: number
    maxAgeDays: number
    duplicateMinutes: number
    packing: 'event' | 'flush'
    copy: boolean
  } | null
  /** Each `[current, …previous]`; `null`: generated. */
  secrets: Record<SecretName, string[] | null>
  admin: { email: string, password: string | null, isEmailSet: boolean }
  /** The URL that links in mails start with, without a slash at the end; `null`: the server's own origin. */
  publicUrl: string | null
  /** The SMTP server; `null`: mails become files. */
  smtp: { url: string, from: string } | null
  databrain: DataBrainConfig | null
  boldbi: BoldBiConfig | null
  dxfeed: DxFeedConfig | null
  /** Whether no real product is configured. */
  mocksAlone: boolean
  embedOrigins: string[] | null
  captcha: CaptchaConfig | null
  csrf: boolean
  /** Whether the refresh token of an administrator is in a cookie. */
  adminCookie: boolean | 'on-request'
  /** `null`: off. */
  mfa: MfaConfig | null
  /** `null`: off. */
  sso: SsoConfig | null
  /** Whether new passwords are compared with a list of breached passwords. */
  breachCheck: boolean
  requireHttps: boolean
  /** The identity provider of the end users; `null`: none. */
  identity: IdentityConfig | null
  /** The user of requests without a user reference, identity token or session; `null`: such requests have no user. */
  embedUser: string | null
  limits: Limits
  /** User agents that are never bots, in addition to the built-in exceptions. */
  botExceptions: RegExp[]
  /** The token for /metrics; `null`: only for programs on this machine. */
  metricsToken: string | null
  /** Whether the console is served. */
  console: boolean
  /** Whether requests are traced if an SDK is loaded; `continue`: in the traces that clients name. */
  tracing: 'on' | 'continue' | 'off'
  docs: boolean
  /** Additional host names of the start page. */
  allowedHosts: string[]
  /** Whether a new source may have a weak server secret. */
  allowWeakSecret: boolean
}

export type SecretName = 'JWT_SECRET' | 'SECRETS_KEY' | 'USER_REFERENCE_KEY' | 'DATABRAIN_PROXY_KEY'

export type Limits = Pick<Environment, keyof typeof limitVariables>

const MOCK_USER = 'viewer@example.com'
const HOST_NAME = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i
/** Named networks that `proxy-addr` supports. */
const NETWORKS = ['loopback', 'linklocal', 'uniquelocal']

/**
 * Reads the configuration from environment variables.
 *
 * @throws ConfigError that lists every problem with the name of its variable and never contains a value.
 */
export function readConfig (variables: Readonly<Record<string, string | undefined>>): Config {
  const problems = new Problems()
  const environment = parse(variables, problems)
  const production = environment.NODE_ENV === 'production'

  const databrain = databrainOf(environment, problems)
  const boldbi = boldbiOf(environment, problems)
  const dxfeed = dxfeedOf(environment, problems)
  if (production) checkProduction(environment, [databrain, boldbi, dxfeed], problems)

  const { ADMIN_PASSWORD: password, ADMIN_EMAIL: email } = environment
  // `checkAdminPassword` checks the strength where the password is used.
  const problem = password === undefined ? null : lengthProblem(password)
  if (problem !== null) problems.add('ADMIN_PASSWORD', `is refused: ${problem}`)

  const mocksAlone = areMocks([databrain, boldbi, dxfeed])
  const embedOrigins = originsOf(environment.EMBED_ORIGINS, problems)
  const config: Config = {
    production,
    host: environment.HOST,
    port: environment.PORT,
    logLevel: environment.LOG_LEVEL,
    trustProxy: trustProxyOf(environment.TRUST_PROXY, problems),
    dataDir: environment.DATA_DIR,
    database: environment.DATABASE_URL === undefined
      ? null
      : { url: environment.DATABASE_URL, max: environment.DATABASE_POOL_MAX },
    redis: environment.REDIS_URL === undefined ? null : { url: environment.REDIS_URL },
    nats: natsOf(environment),
    secrets: {
      JWT_SECRET: secretsOf('JWT_SECRET', environment, problems),
      SECRETS_KEY: secretsOf('SECRETS_KEY', environment, problems),
      USER_REFERENCE_KEY: secretsOf('USER_REFERENCE_KEY', environment, problems),
      DATABRAIN_PROXY_KEY: secretsOf('DATABRAIN_PROXY_KEY', environment, problems)
    },
    admin: { email, password: password ?? null, isEmailSet: isSet(variables.ADMIN_EMAIL) },
    publicUrl: publicUrlOf(environment.PUBLIC_URL, problems),
    smtp: smtpOf(environment, production, problems),
    databrain,
    boldbi,
    dxfeed,
    mocksAlone,
    embedOrigins,
    captcha: captchaOf(environment, embedOrigins, problems),
    csrf: environment.CSRF === 'on',
    adminCookie: environment.ADMIN_COOKIE === 'on-request' ? 'on-request' : environment.ADMIN_COOKIE === 'on',
    mfa: mfaOf(environment, problems),
    sso: ssoOf(environment, problems),
    breachCheck: environment.PASSWORD_BREACH_CHECK === 'on',
    requireHttps: environment.REQUIRE_HTTPS === 'on',
    identity: identityOf(environment, problems),
    embedUser: environment.EMBED_USER ?? (mocksAlone ? MOCK_USER : null),
    limits: environment,
    botExceptions: botExceptionsOf(environment.INGEST_BOTS_EXCEPT, problems),
    metricsToken: secretOf('METRICS_TOKEN', environment, problems),
    console: environment.CONSOLE === 'on',
    tracing: environment.TRACING,
    docs: environment.DOCS === undefined ? !production : environment.DOCS === 'on',
    allowedHosts: hostsOf(environment.ALLOWED_HOSTS, problems),
    allowWeakSecret: environment.ALLOW_WEAK_SECRET === 'on'
  }
  problems.throwIfAny()
  return config
}

/**
 * Like `readConfig`, for a command that only works on the database: the embedded products are off, so that an app whose
 * environment contains some of their variables can use it.
 *
 * @throws ConfigError as `readConfig` does.
 */
export function readTaskConfig (variables: Readonly<Record<string, string | undefined>>): Config {
  return readConfig({ ...variables, DATABRAIN: 'off', BOLDBI: 'off', DXFEED: 'off' })
}

/** Validates each known variable. An invalid one is reported and then treated as unset, to be reported only once. */
function parse (variables: Readonly<Record<string, string | undefined>>, problems: Problems): Environment {
  const known: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(EnvironmentSchema.properties)) {
    const text = variables[name]
    if (!isSet(text)) continue
    const value = schema.type === 'integer' && /^\d+$/.test(text) ? Number(text) : text
    if (Value.Check(schema, value)) known[name] = value
    else problems.add(name as VariableName, `must be ${String(schema.expected)}`)
  }
  return Value.Default(EnvironmentSchema, known) as Environment
}

function botExceptionsOf (source: string | undefined, problems: Problems): RegExp[] {
  if (source === undefined) return []
  try {
    const pattern = new RegExp(source, 'i')
    if (!pattern.test('')) return [pattern]
    problems.add('INGEST_BOTS_EXCEPT', 'must not match every user agent')
  } catch {
    problems.add('INGEST_BOTS_EXCEPT', 'must be a regular expression')
  }
  return []
}

function isSet (text: string | undefined): text is string {
  return text !== undefined && text !== ''
}

function checkProduction (
  environment: Environment,
  products: ReadonlyArray<{ mock: boolean } | null>,
  problems: Problems
): void {
  for (const name of ['JWT_SECRET', 'SECRETS_KEY'] as const) {
    if (environment[name] !== undefined) continue
    problems.add(name, 'is required in production; create one with `npx fastify-gatehouse generate-key`')
  }
  const missing = [['DATABRAIN', 'DATABRAIN_API_KEY'], ['BOLDBI', 'BOLDBI_API_URL'], ['DXFEED',
    'DXFEED_SECRET']] as const
  for (const [at, [name, needed]] of missing.entries()) {
    if (products[at]?.mock === true) {
      problems.add(
        name,
        `would start a mock product, which production refuses; set ${needed} and the related variables, or ${name}=off`
      )
    }
  }
  if (environment.EMBED_USER !== undefined) {
    problems.add('EMBED_USER', 'is refused in production, because every visitor would be that user; unset it')
  }
}

/** Whether every enabled product is a mock product. */
function areMocks (products: ReadonlyArray<{ mock: boolean } | null>): boolean {
  return products.every((product) => product?.mock !== false) && products.some((product) => product !== null)
}

function natsOf (environment: Environment): Config['nats'] {
  const { NATS_URL: url, NATS_STREAM: stream, NATS_PACKING: packing, NATS_REPLICAS, NATS_COPY } = environment
  const { NATS_MAX_AGE_DAYS: maxAgeDays, NATS_DUPLICATE_WINDOW_MINUTES: duplicateMinutes } = environment
  return url === undefined
    ? null
    : { url, stream, replicas: Number(NATS_REPLICAS), maxAgeDays, duplicateMinutes, packing, copy: NATS_COPY === 'on' }
}

function publicUrlOf (text: string | undefined, problems: Problems): string | null {
  if (text === undefined) return null
  const url = parseUrl(text)
  if (url !== null && url.search === '' && url.hash === '' && url.username === '') return url.href.replace(/\/+$/, '')
  problems.add('PUBLIC_URL', 'must be a URL such as https://gate.example.com, without a query and a user')
  return null
}

/** Links with the address that the server listens on are of no use outside of this machine. */
function smtpOf (
  { SMTP_URL: url, MAIL_FROM: from, PUBLIC_URL: publicUrl }: Environment,
  production: boolean,
  problems: Problems
): Config['smtp'] {
  if (url === undefined) return null
  if ((parseUrl(url)?.hostname ?? '') === '') problems.add('SMTP_URL', 'must contain the host of the SMTP server')
  if (from === undefined) problems.add('MAIL_FROM', 'is required with SMTP_URL')
  if (production && publicUrl === undefined) problems.add('PUBLIC_URL', 'is required with SMTP_URL in production')
  return { url, from: from ?? '' }
}

function secretsOf (name: SecretName, environment: Environment, problems: Problems): string[] | null {
  const text = environment[name]
  if (text === undefined) return null
  const secrets = listOf(text)
  for (const secret of secrets.length === 0 ? [''] : secrets) checkSecret(name, secret, problems)
  return secrets
}

function secretOf (name: 'METRICS_TOKEN', environment: Environment, problems: Problems): string | null {
  const secret = environment[name]
  if (secret !== undefined) checkSecret(name, secret, problems)
  return secret ?? null
}

function checkSecret (name: VariableName, secret: string, problems: Problems): void {
  try {
    assertStrongSecret(name, secret)
  } catch (error) {
    problems.add(name, (error as Error).message.replace(`"${name}" `, ''))
  }
}

function originsOf (text: string | undefined, problems: Problems): string[] | null {
  if (text === undefined) return null
  const origins = listOf(text)
  if (origins.length === 0 || !origins.every(isExactOrigin)) {
    problems.add(
      'EMBED_ORIGINS',
      'must be a list of exact origins such as https://app.example.com, without a path, with international names in ' +
        'punycode (xn--…)'
    )
  }
  return origins
}

function hostsOf (text: string | undefined, problems: Problems): string[] {
  const hosts = listOf(text ?? '')
  if (!hosts.every((host) => HOST_NAME.test(host))) {
    problems.add('ALLOWED_HOSTS', 'must be a list of host names such as demo.example.com, without a scheme or a port')
  }
  return hosts
}

// Refuses "all" and hop counts: a client that bypasses the proxies could then forge its address and evade rate limits.
function trustProxyOf (text: string, problems: Problems): Config['trustProxy'] {
  if (text === 'off') return false
  const proxies = listOf(text)
  if (proxies.length === 0 || !proxies.every((proxy) => NETWORKS.includes(proxy) || isAddress(proxy))) {
    problems.add(
      'TRUST_PROXY',
      `must be "off" or a list of the proxies' addresses, such as 10.0.0.0/8, ${NETWORKS.join(', ')}`
    )
  }
  return proxies
}

function isAddress (text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return prefix === undefined ||
    (/^\d{1,3}$/.test(prefix) && Number(prefix) > 0 && Number(prefix) <= (family === 4 ? 32 : 128))
}

function listOf (text: string): string[] {
  return text.split(',').map((item) => item.trim()).filter((item) => item !== '')
}
