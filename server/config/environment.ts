import { Type } from '@sinclair/typebox'
import type { Static, TOptional, TSchema } from '@sinclair/typebox'

interface Variable {
  /** What it does; shown by `--help`. */
  about: string
  /** Ends the sentence "NAME must be …" of an error. */
  expected: string
  /** Shown by `--help` where the schema has none. */
  otherwise?: string
}

const text = (about: string, options: { maxLength?: number, otherwise?: string } = {}) =>
  Type.Optional(Type.String({ maxLength: 8_192, expected: `a text of at most ${options.maxLength ?? 8_192} characters`, about, ...options }))

const integer = (about: string, minimum: number, maximum: number, fallback: number) =>
  Type.Integer({ minimum, maximum, default: fallback, about, expected: `an integer from ${minimum} to ${maximum}` })

const oneOf = <const Values extends readonly [string, ...string[]]>(about: string, values: Values, fallback: Values[number]) =>
  Type.Unsafe<Values[number]>(Type.Union(values.map((value) => Type.Literal(value)), { default: fallback, about, expected: `one of ${values.join(', ')}` }))

const matching = (about: string, pattern: string, expected: string, options: { otherwise?: string } = {}) =>
  Type.Optional(Type.String({ maxLength: 8_192, pattern, about, expected, ...options }))

const product = (name: string) => oneOf(`\`off\` leaves ${name} out`, ['on', 'off'], 'on')

/** Every variable that the built-in server reads. An empty one counts as unset; lists are separated by commas. */
export const EnvironmentSchema = Type.Object({
  NODE_ENV: text('`production` demands the secrets and refuses mock products', { maxLength: 100 }),
  HOST: Type.String({ minLength: 1, maxLength: 255, default: '127.0.0.1', about: 'The address to listen on', expected: 'an address or a host name' }),
  PORT: integer('The port to listen on; 0 picks a free one', 0, 65_535, 3_000),
  LOG_LEVEL: oneOf('What to log', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info'),
  TRUST_PROXY: Type.String({
    default: 'off',
    maxLength: 2_000,
    about: 'Whose X-Forwarded-* headers count: `off`, or the addresses of the proxies in front',
    expected: 'a text'
  }),
  DATA_DIR: Type.String({ minLength: 1, maxLength: 1_000, default: '.data', about: 'Where the embedded database and generated secrets live', expected: 'a folder' }),
  DATABASE_URL: matching('A PostgreSQL server instead of the embedded database', '^postgres(ql)?://', 'a URL such as postgres://user@host/name', { otherwise: 'embedded' }),
  REDIS_URL: matching('Redis 6 or newer, or Valkey, that the instances share: cached keys, changes told at once, rate limits', '^rediss?://',
    'a URL such as redis://:password@host:6379', { otherwise: 'none' }),
  NATS_URL: matching('A broker with JetStream that takes the events; they are copied from there into the database', '^(nats|tls)://',
    'a URL such as nats://user:password@host:4222', { otherwise: 'none' }),
  NATS_STREAM: Type.String({ default: 'events', pattern: '^[A-Za-z0-9_-]{1,100}$', about: 'The stream, made if there is none', expected: 'letters, digits, "_" and "-"' }),
  NATS_REPLICAS: oneOf('On how many brokers of a cluster each event is kept', ['1', '3', '5'], '1'),
  NATS_MAX_AGE_DAYS: integer('After how many days the stream forgets an event, copied or not; 0 = never, or as the stream is', 0, 36_500, 0),
  NATS_DUPLICATE_WINDOW_MINUTES: integer('For how long the broker tells a repeat, some 230 bytes of its memory an event; the database does so for a day', 1, 1_440, 1_440),
  NATS_PACKING: oneOf('A message for each event, or for all that are published at once', ['event', 'flush'], 'event'),
  NATS_COPY: oneOf('`off`: this instance does not help to copy the stream into the database', ['on', 'off'], 'on'),
  DATABASE_POOL_MAX: integer('Connections to PostgreSQL', 1, 1_000, 10),

  JWT_SECRET: text('Signs access and refresh tokens; current first, previous ones after it', { otherwise: 'generated once' }),
  SECRETS_KEY: text('Seals server secrets at rest; current first, previous ones after it', { otherwise: 'generated once' }),
  USER_REFERENCE_KEY: text('Signs user references; current first, previous ones after it', { otherwise: 'generated once' }),
  ADMIN_EMAIL: Type.String({
    default: 'admin@example.com', maxLength: 254, pattern: '^[^\\s@]+@[^\\s@]+$', about: 'The first administrator', expected: 'an email address'
  }),
  ADMIN_PASSWORD: Type.Optional(Type.String({
    maxLength: 1_024, about: 'The first administrator\'s password', expected: 'at most 1024 characters', otherwise: 'generated and printed once'
  })),

  DATABRAIN: product('DataBrain'),
  DATABRAIN_PROXY_KEY: text('What DataBrain\'s servers present to us; list two while one is being rotated', { otherwise: 'the mock product\'s' }),
  DATABRAIN_API_KEY: text('What we present to DataBrain', { otherwise: 'the mock product\'s' }),
  DATABRAIN_API_URL: matching('DataBrain\'s API', '^https?://', 'a URL', { otherwise: 'https://api.usedatabrain.com' }),
  DATABRAIN_UPSTREAM_URL: matching('Where the component\'s calls go that come through our proxy', '^https?://', 'a URL', { otherwise: 'DATABRAIN_API_URL' }),
  DATABRAIN_DATA_APP: text('The data app of the guest tokens', { maxLength: 256 }),
  DATABRAIN_ERROR_STATUS: oneOf('How upstream failures are answered: as the product documents, or by 502 and 504', ['product', 'gateway'], 'product'),
  BOLDBI: product('Bold BI'),
  BOLDBI_API_URL: matching('The Bold BI site, as the SDK\'s dashboardServerApiUrl names it', '^https?://', 'a URL', { otherwise: 'the mock product\'s' }),
  BOLDBI_EMBED_SECRET: text('The embed secret of that site', { otherwise: 'the mock product\'s' }),
  DXFEED: product('dxFeed'),
  DXFEED_SECRET: text('Signs widget tokens', { otherwise: 'the mock product\'s' }),
  DXFEED_ISSUER: text('The issuer that dxFeed knows', { maxLength: 256, otherwise: 'the mock product\'s' }),
  DXFEED_SESSION: text('The session that dxFeed knows', { maxLength: 256, otherwise: 'the mock product\'s' }),
  DXFEED_USER: matching('The user id that dxFeed issued; every token then contains it', '^[^,;]{1,256}$',
    'at most 256 characters without "," and ";"', { otherwise: 'none; the end user\'s own id' }),
  DXFEED_FILTERS: text('Data filters of every token', { maxLength: 2_000 }),
  DXFEED_TIME_UNIT: oneOf('The unit of a token\'s times', ['ms', 's'], 'ms'),
  DXFEED_MINUTES: integer('Life of a widget token, in minutes', 5, 20, 20),
  EMBED_ORIGINS: text('The sites whose pages may call the embedding routes', { otherwise: 'the server\'s own origin' }),
  EMBED_USER: text('Who the end user is when nothing else says so; never in production', { maxLength: 256, otherwise: 'viewer@example.com with mock products alone' }),

  CAPTCHA: oneOf('The captcha that a widget token asks for; `altcha` needs nobody else', ['off', 'altcha', 'turnstile', 'hcaptcha', 'recaptcha'], 'off'),
  CAPTCHA_SECRET: text('The secret key that Turnstile, hCaptcha or reCAPTCHA gave', { maxLength: 1_000, otherwise: 'none; altcha has none' }),
  CAPTCHA_HOSTNAMES: text('The hosts whose pages may show that captcha', { otherwise: 'those of EMBED_ORIGINS' }),
  CSRF: oneOf('`on`: widget tokens and embeds ask for a CSRF token of /csrf/token, for pages on the server\'s own site', ['off', 'on'], 'off'),
  REQUIRE_HTTPS: oneOf('`on`: plain HTTP is refused, but from this machine and for /healthz and /readyz', ['off', 'on'], 'off'),

  ALLOW_WEAK_SECRET: oneOf('`on`: a new source may bring a server secret of fewer than 16 bytes or a publicly known one', ['on', 'off'], 'off'),
  LOGIN_RATE_MAX: integer('Login attempts a minute, of an email and of an address', 1, 1_000_000, 10),
  ADMIN_RATE_MAX: integer('Admin requests a minute of one user', 1, 1_000_000, 100),
  INGEST_KEY_RATE_MAX: integer('Events a second of a source that has no limit of its own; 0 = no limit', 0, 100_000_000, 1_000),
  INGEST_IP_RATE_MAX: integer('Ingestion requests a second of one address; 0 = no limit', 0, 100_000_000, 5_000),
  INGEST_BOTS_EXCEPT: text('A regular expression of user agents that are no bots, beside the built-in exceptions', { maxLength: 2_000, otherwise: 'none' }),
  WEBHOOK_LIMIT_BYTES: integer('Bytes of one webhook delivery; beyond, it is refused with 413', 1_024, 104_857_600, 1_048_576),
  EMBED_RATE_MAX: integer('Calls a minute of one address, each embedding route; 0 = no limit', 0, 1_000_000, 120),
  EMBED_CONNECTIONS_MAX: integer('Requests that one address may have in flight on the embedding routes; 0 = no limit', 0, 1_000_000, 50),
  ADDRESS_SOCKETS_MAX: integer('Open sockets of one address; 0 = no limit, as behind a proxy that TRUST_PROXY names', 0, 1_000_000, 1_000),
  NOT_FOUND_RATE_MAX: integer('Requests a minute of one address that find nothing; 0 = no limit', 0, 1_000_000, 100),
  ACK_TIMEOUT_MS: integer('How long an event may wait to be durable', 10, 60_000, 5_000),
  MAX_PENDING_EVENTS: integer('How many events may wait to be durable', 1, 1_000_000, 10_000),
  EVENT_RETENTION_DAYS: integer('How long events are kept; 0 = for ever', 0, 36_500, 0),
  AUDIT_RETENTION_DAYS: integer('How long audit entries are kept', 1, 3_650, 90),
  MAX_CONNECTIONS: integer('Open sockets at a time', 1, 1_000_000, 10_000),
  HEADERS_TIMEOUT_MS: integer('Within which a request\'s headers must arrive', 100, 60_000, 15_000),
  REQUEST_TIMEOUT_MS: integer('Within which a whole request must arrive', 100, 300_000, 30_000),
  KEEP_ALIVE_TIMEOUT_MS: integer('How long an idle connection stays open', 100, 600_000, 72_000),
  DRAIN_DELAY_MS: integer('How long a stopping server takes requests with /readyz at 503 before its port closes, so that a balancer turns away', 0, 60_000, 0),
  DOCS: Type.Optional(Type.Unsafe<'on' | 'off'>(Type.Union([Type.Literal('on'), Type.Literal('off')], {
    about: 'OpenAPI at /docs', expected: 'one of on, off', otherwise: 'on; off in production'
  }))),
  ALLOWED_HOSTS: text('Host names under which the start page may be opened, beside HOST, addresses and localhost', { otherwise: 'none' }),

  METRICS_TOKEN: text('Not available in this version yet'),
})

export type Environment = Static<typeof EnvironmentSchema>
export type VariableName = keyof Environment

/** One line a variable: its name, what it does and its default. */
export function describeEnvironment (): string {
  const names = Object.keys(EnvironmentSchema.properties) as VariableName[]
  return names.map((name) => {
    const { about, otherwise, default: fallback } = EnvironmentSchema.properties[name] as TSchema & Variable & TOptional<TSchema>
    const value = fallback ?? otherwise
    return `  ${name.padEnd(23)} ${about}${value === undefined ? '' : ` [${String(value)}]`}`
  }).join('\n')
}
