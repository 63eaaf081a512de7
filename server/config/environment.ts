import { Type } from '@sinclair/typebox'
import type { Static, TOptional, TSchema } from '@sinclair/typebox'

import { identityVariables } from './identity-variables.js'
import { limitVariables } from './limit-variables.js'
import { productVariables } from './product-variables.js'
import { ssoVariables } from './sso-variables.js'
import { integer, matching, oneOf, text } from './variable.js'
import type { Variable } from './variable.js'

/** All variables that the built-in server reads. An empty variable is unset; lists are comma-separated. */
export const EnvironmentSchema = Type.Object({
  NODE_ENV: text('`production` requires the secrets and refuses mock products', { maxLength: 100 }),
  HOST: Type.String({
    minLength: 1,
    maxLength: 255,
    default: '127.0.0.1',
    about: 'The address to listen on',
    expected: 'an address or a host name'
  }),
  PORT: integer('The port to listen on; 0 = any free port', 0, 65_535, 3_000),
  LOG_LEVEL: oneOf(
    'The minimum level of log lines',
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'info'
  ),
  TRUST_PROXY: Type.String({
    default: 'off',
    maxLength: 2_000,
    about: 'Proxies whose X-Forwarded-* headers are trusted: `off`, or a list of their addresses and networks',
    expected: 'a string'
  }),
  DATA_DIR: Type.String({
    minLength: 1,
    maxLength: 1_000,
    default: '.data',
    about: 'The folder of the embedded database and of generated secrets',
    expected: 'a folder'
  }),
  DATABASE_URL: matching(
    'A PostgreSQL server to use instead of the embedded database',
    '^postgres(ql)?://',
    'a URL such as postgres://user@host/name',
    { otherwise: 'embedded' }
  ),
  REDIS_URL: matching(
    'Redis 6 or newer, or Valkey, shared by all instances for cached keys, change notifications and rate limits',
    '^rediss?://',
    'a URL such as redis://:password@host:6379',
    { otherwise: 'none' }
  ),
  NATS_URL: matching(
    'A broker with JetStream that stores the events first; the server copies them into the database',
    '^(nats|tls)://',
    'a URL such as nats://user:password@host:4222',
    { otherwise: 'none' }
  ),
  NATS_STREAM: Type.String({
    default: 'events',
    pattern: '^[A-Za-z0-9_-]{1,100}$',
    about: 'The stream; created if it does not exist',
    expected: 'letters, digits, "_" and "-"'
  }),
  NATS_REPLICAS: oneOf('Number of brokers of a cluster that store each event', ['1', '3', '5'], '1'),
  NATS_MAX_AGE_DAYS: integer(
    "Days after which the stream deletes an event, copied or not; 0 = never, or the stream's own setting",
    0,
    36_500,
    0
  ),
  NATS_DUPLICATE_WINDOW_MINUTES: integer(
    'Minutes in which the broker detects duplicates, about 230 bytes of its memory per event; the database detects ' +
      'them for a day',
    1,
    1_440,
    1_440
  ),
  NATS_PACKING: oneOf(
    'One message per event, or one message for all events published together',
    ['event', 'flush'],
    'event'
  ),
  NATS_COPY: oneOf('`off`: this instance does not copy the stream into the database', ['on', 'off'], 'on'),
  DATABASE_POOL_MAX: integer('Maximum number of connections to PostgreSQL', 1, 1_000, 10),

  JWT_SECRET: text(
    'Signs access and refresh tokens; a list of the current key, then previous keys',
    { otherwise: 'generated once' }
  ),
  SECRETS_KEY: text(
    'Encrypts stored server secrets; a list of the current key, then previous keys',
    { otherwise: 'generated once' }
  ),
  USER_REFERENCE_KEY: text(
    'Signs user references; a list of the current key, then previous keys',
    { otherwise: 'generated once' }
  ),
  ADMIN_EMAIL: Type.String({
    default: 'admin@example.com',
    maxLength: 254,
    pattern: '^[^\\s@]+@[^\\s@]+$',
    about: 'The e-mail address of the first administrator',
    expected: 'an email address'
  }),
  ADMIN_PASSWORD: Type.Optional(Type.String({
    maxLength: 1_024,
    about: 'The password of the first administrator',
    expected: 'at most 1024 characters',
    otherwise: 'generated and printed once'
  })),

  PUBLIC_URL: matching(
    'The URL under which browsers reach the server; links in mails start with it',
    '^https?://[^/?#\\s]',
    'a URL such as https://gate.example.com',
    { otherwise: "the server's own origin; required with SMTP_URL in production" }
  ),
  SMTP_URL: matching(
    'The SMTP server that sends mails, with TLS unless it is on this machine',
    '^smtps?://',
    'a URL such as smtps://user:password@smtp.example.com',
    { otherwise: 'none; mails become files in DATA_DIR/outbox' }
  ),
  MAIL_FROM: matching(
    'The sender of mails',
    '^[^\\u0000-\\u001f\\u007f@]+@[^\\u0000-\\u001f\\u007f@\\s]+$',
    'an address such as gatehouse@example.com, or "Name <gatehouse@example.com>"',
    { otherwise: 'none; required with SMTP_URL' }
  ),

  ...productVariables,
  ...identityVariables,

  CAPTCHA: oneOf(
    'The captcha that the widget-token route requires; `altcha` needs no other service',
    ['off', 'altcha', 'turnstile', 'hcaptcha', 'recaptcha'],
    'off'
  ),
  CAPTCHA_SECRET: text(
    'The secret key from Turnstile, hCaptcha or reCAPTCHA',
    { maxLength: 1_000, otherwise: 'none; altcha has none' }
  ),
  CAPTCHA_HOSTNAMES: text('The hosts whose pages may show that captcha', { otherwise: 'the hosts of EMBED_ORIGINS' }),
  CSRF: oneOf(
    "`on`: widget tokens and embeds require a CSRF token from /csrf/token; only for pages on the server's own site",
    ['off', 'on'],
    'off'
  ),
  REQUIRE_HTTPS: oneOf(
    '`on`: refuses plain HTTP, except from this machine and for /healthz and /readyz',
    ['off', 'on'],
    'off'
  ),

  ALLOW_WEAK_SECRET: oneOf(
    '`on`: allows new sources with a server secret under 16 bytes or a publicly known secret',
    ['on', 'off'],
    'off'
  ),
  ADMIN_COOKIE: oneOf(
    'Where the refresh token of an administrator is: `on-request`, in an HttpOnly cookie for pages of this server that ' +
      'ask for it, such as the console, else in the JSON; `on`, always in the cookie; `off`, always in the JSON',
    ['on-request', 'on', 'off'],
    'on-request'
  ),
  MFA: oneOf(
    '`off`: no second factors; administrators who have one, or whose organisation requires one, cannot log in',
    ['on', 'off'],
    'on'
  ),
  MFA_NAME: Type.String({
    minLength: 1,
    maxLength: 100,
    default: 'fastify-gatehouse',
    about: 'The name that authenticator apps and browsers show for second factors',
    expected: 'a string of at most 100 characters'
  }),
  MFA_ORIGINS: text(
    'The origins of the pages that use passkeys of administrators, with https',
    { otherwise: 'http://localhost of this server; none in production, and then no passkeys' }
  ),
  MFA_RP_ID: text(
    'The domain that passkeys are bound to, such as example.com; a change makes all passkeys useless',
    { maxLength: 253, otherwise: 'the host of the first of MFA_ORIGINS' }
  ),
  PASSWORD_BREACH_CHECK: oneOf(
    '`on`: asks Have I Been Pwned whether a new password was breached; it receives 5 digits of the SHA-1',
    ['off', 'on'],
    'off'
  ),
  ...ssoVariables,
  INGEST_BOTS_EXCEPT: text(
    'A regular expression of user agents that are never bots, in addition to the built-in exceptions',
    { maxLength: 2_000, otherwise: 'none' }
  ),
  ...limitVariables,

  CONSOLE: oneOf('Serve the console for administrators at /console', ['on', 'off'], 'on'),
  DOCS: Type.Optional(Type.Unsafe<'on' | 'off'>(Type.Union([Type.Literal('on'), Type.Literal('off')], {
    about: 'Serve the API documentation at /docs and the guide at /guide',
    expected: 'one of on, off',
    otherwise: 'on; off in production'
  }))),
  ALLOWED_HOSTS: text(
    'Host names of the start page, in addition to HOST, IP addresses and localhost',
    { otherwise: 'none' }
  ),

  METRICS_TOKEN: text(
    'Bearer token of the program that reads /metrics, at least 32 bytes',
    { otherwise: 'none: /metrics responds only to this machine, without a proxy' }
  ),
  TRACING: oneOf(
    'Traces, if an SDK of OpenTelemetry is loaded; `continue` also continues the traces that clients name',
    ['on', 'continue', 'off'],
    'on'
  )
})

export type Environment = Static<typeof EnvironmentSchema>
export type VariableName = keyof Environment

/** Returns one line per variable: its name, description and default. */
export function describeEnvironment (): string {
  const names = Object.keys(EnvironmentSchema.properties) as VariableName[]
  return names.map((name) => {
    const { about, otherwise, default: fallback } = EnvironmentSchema.properties[name] as
      & TSchema
      & Variable
      & TOptional<TSchema>
    const value = fallback ?? otherwise
    return `  ${name.padEnd(23)} ${about}${value === undefined ? '' : ` [${String(value)}]`}`
  }).join('\n')
}
