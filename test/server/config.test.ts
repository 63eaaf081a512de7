import t from 'tap'

import { readConfig, readTaskConfig } from '../../server/config/index.js'
import { describeEnvironment, EnvironmentSchema } from '../../server/config/environment.js'
import { ConfigError } from '../../server/config/problems.js'
import { generateSecret } from '../../signing/secret-strength/index.js'

type Variables = Record<string, string>

function problemsOf (variables: Variables): readonly string[] {
  try {
    readConfig(variables)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems
  }
}

const production = (): Variables => ({
  NODE_ENV: 'production',
  JWT_SECRET: generateSecret(),
  SECRETS_KEY: generateSecret()
})
const real = (): Variables => ({
  DATABRAIN_API_KEY: 'k',
  DATABRAIN_PROXY_KEY: generateSecret(),
  DATABRAIN_DATA_APP: 'Sales',
  BOLDBI_API_URL: 'http://bi.test/bi/api/site/site1',
  BOLDBI_EMBED_SECRET: 's',
  DXFEED_SECRET: 's3cr3t',
  DXFEED_ISSUER: 'acme',
  DXFEED_SESSION: 'web'
})

t.test('an empty environment has the documented defaults and three mock products', async (t) => {
  t.match(readConfig({}), {
    production: false,
    host: '127.0.0.1',
    port: 3000,
    logLevel: 'info',
    trustProxy: false,
    dataDir: '.data',
    database: null,
    secrets: { JWT_SECRET: null, SECRETS_KEY: null, USER_REFERENCE_KEY: null, DATABRAIN_PROXY_KEY: null },
    admin: { email: 'admin@example.com', password: null, isEmailSet: false },
    databrain: { mock: true },
    boldbi: { mock: true },
    dxfeed: { mock: true, timeUnit: 'ms', minutes: 20, user: undefined, filters: [] },
    embedOrigins: null,
    adminCookie: 'on-request',
    breachCheck: false,
    embedUser: 'viewer@example.com',
    limits: {
      LOGIN_RATE_MAX: 10,
      ADMIN_SESSION_IDLE_MINUTES: 10_080,
      ADMIN_RATE_MAX: 100,
      INGEST_KEY_RATE_MAX: 1000,
      INGEST_IP_RATE_MAX: 5000,
      WEBHOOK_LIMIT_BYTES: 1_048_576,
      EMBED_RATE_MAX: 120,
      HEADERS_TIMEOUT_MS: 15_000,
      REQUEST_TIMEOUT_MS: 30_000,
      KEEP_ALIVE_TIMEOUT_MS: 72_000,
      DRAIN_DELAY_MS: 0
    }
  })
})

t.test('an empty variable counts as unset, and an unknown variable is no error', async (t) => {
  const empty = Object.fromEntries(Object.keys(EnvironmentSchema.properties).map((name) => [name, '']))
  t.same(readConfig({ ...empty, DATABRIAN_API_KEY: 'typo', PATH: '/bin' }), readConfig({}))
})

t.test('each bad value is a problem that names its variable and hides its value', async (t) => {
  const bad: Array<[string, string]> = [
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '0x50'],
    ['PORT', '80.5'],
    ['PORT', 'http'],
    ['LOG_LEVEL', 'loud'],
    ['TRUST_PROXY', 'true'],
    ['TRUST_PROXY', 'on'],
    ['TRUST_PROXY', '1'],
    ['TRUST_PROXY', 'everyone'],
    ['TRUST_PROXY', '0.0.0.0/0'],
    ['TRUST_PROXY', '10.0.0.0/8,1.2.3'],
    ['DATABASE_URL', 'mysql://db'],
    ['JWT_SECRET', 'short'],
    ['JWT_SECRET', ','],
    ['JWT_SECRET', 'a'.repeat(40)],
    ['SECRETS_KEY', 'changeme'],
    ['USER_REFERENCE_KEY', `${generateSecret()},short`],
    ['DATABRAIN_PROXY_KEY', 'tiny'],
    ['ADMIN_EMAIL', 'nobody'],
    ['ADMIN_PASSWORD', 'short-pass'],
    ['DXFEED_TIME_UNIT', 'us'],
    ['DXFEED_MINUTES', '4'],
    ['DXFEED_MINUTES', '21'],
    ['DXFEED_USER', 'a,b'],
    ['DXFEED_USER', 'a;b'],
    ['EMBED_ORIGINS', '*'],
    ['EMBED_ORIGINS', 'null'],
    ['EMBED_ORIGINS', 'https://a.test/path'],
    ['EMBED_ORIGINS', 'https://a.test,b.test'],
    ['LOGIN_RATE_MAX', '0'],
    ['ADMIN_SESSION_IDLE_MINUTES', '14'],
    ['ADMIN_SESSION_IDLE_MINUTES', '10081'],
    ['ADMIN_COOKIE', 'yes'],
    ['PASSWORD_BREACH_CHECK', 'true'],
    ['MFA', 'required'],
    ['MFA_NAME', 'x'.repeat(101)],
    ['MFA_RP_ID', 'example.com'],
    ['MFA_ORIGINS', 'http://console.example.com'],
    ['MFA_ORIGINS', 'https://192.0.2.1'],
    ['MFA_ORIGINS', 'https://a.example.com,https://b.example.com'],
    ['INGEST_BOTS_EXCEPT', '('],
    ['INGEST_BOTS_EXCEPT', 'a|'],
    ['INGEST_KEY_RATE_MAX', '-1'],
    ['EMBED_RATE_MAX', 'many'],
    ['DATABRAIN', 'no'],
    ['REDIS_URL', 'http://h'],
    ['REDIS_URL', 'h:6379'],
    ['NATS_URL', 'http://h'],
    ['NATS_STREAM', 'a.b'],
    ['NATS_REPLICAS', '2'],
    ['NATS_PACKING', 'all'],
    ['NATS_COPY', 'yes'],
    ['METRICS_TOKEN', 'abc-token'],
    ['METRICS_TOKEN', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['CAPTCHA', 'on'],
    ['CSRF', 'yes'],
    ['PUBLIC_URL', 'gateway.test'],
    ['PUBLIC_URL', 'https://gate.example.com/?x=1'],
    ['PUBLIC_URL', 'https://user@gate.example.com'],
    ['SMTP_URL', 'smtp.example.com:25'],
    ['SMTP_URL', 'http://smtp.example.com'],
    ['MAIL_FROM', 'nobody'],
    ['MAIL_FROM', 'a@example.com\r\nBcc: b@example.com'],
    ['REQUIRE_HTTPS', 'yes']
  ]
  for (const [name, value] of bad) {
    const problems = problemsOf({ [name]: value })
    t.equal(problems.length, 1, `${name}=${value}`)
    t.match(problems[0], new RegExp(`^${name} `), `${name}=${value}`)
    if (value.length > 6) t.notMatch(problems[0], value, 'without the value')
  }
})

t.test('all problems are reported together', async (t) => {
  const problems = problemsOf({
    PORT: 'x',
    JWT_SECRET: 'short',
    REDIS_URL: 'h',
    BOLDBI_API_URL: 'http://bi.test',
    EMBED_ORIGINS: '*'
  })
  t.same(problems.map((problem) => problem.split(' ')[0]).sort(), ['BOLDBI_EMBED_SECRET', 'EMBED_ORIGINS', 'JWT_SECRET',
    'PORT', 'REDIS_URL'])
  t.throws(() => readConfig({ PORT: 'x', LOG_LEVEL: 'x' }), {
    message: /2 problems:\n {2}- PORT must be an integer from 0 to 65535\n {2}- LOG_LEVEL must be one of/
  })
})

t.test('an incompletely configured product is a problem that names the missing variable', async (t) => {
  const cases: Array<[Variables, string[]]> = [
    [{ BOLDBI_API_URL: 'http://bi.test' }, ['BOLDBI_EMBED_SECRET']],
    [{ BOLDBI_EMBED_SECRET: 's' }, ['BOLDBI_API_URL']],
    [{ DATABRAIN_API_KEY: 'k' }, ['DATABRAIN_PROXY_KEY', 'DATABRAIN_DATA_APP']],
    [{ DATABRAIN_API_URL: 'https://db.test' }, ['DATABRAIN_API_KEY', 'DATABRAIN_PROXY_KEY', 'DATABRAIN_DATA_APP']],
    [{ DXFEED_SECRET: 's' }, ['DXFEED_ISSUER', 'DXFEED_SESSION']],
    [{ DXFEED_SESSION: 'web' }, ['DXFEED_SECRET', 'DXFEED_ISSUER']],
    [{ DATABRAIN_PROXY_KEY: generateSecret(), DATABRAIN_DATA_APP: 'Sales', DXFEED_MINUTES: '5' }, []],
    [{ BOLDBI_API_URL: 'http://bi.test', BOLDBI: 'off' }, []],
    [real(), []]
  ]
  for (const [variables, missing] of cases) {
    t.same(problemsOf(variables).map((problem) => problem.split(' ')[0]), missing, Object.keys(variables).join())
  }
})

t.test('production requires the secrets and refuses mock products and EMBED_USER', async (t) => {
  const names = (variables: Variables) => problemsOf(variables).map((problem) => problem.split(' ')[0])
  t.same(names({ NODE_ENV: 'production' }), ['JWT_SECRET', 'SECRETS_KEY', 'DATABRAIN', 'BOLDBI', 'DXFEED'])
  t.same(names(production()), ['DATABRAIN', 'BOLDBI', 'DXFEED'])
  t.same(names({ ...production(), ...real(), EMBED_USER: 'a@b.test' }), ['EMBED_USER'])
  t.match(readConfig({ ...production(), ...real() }), { production: true, embedUser: null })
  t.match(readConfig({ ...production(), DATABRAIN: 'off', BOLDBI: 'off', DXFEED: 'off' }), {
    databrain: null,
    boldbi: null,
    dxfeed: null,
    embedUser: null
  })
})

t.test('an SMTP server needs a sender and, in production, the URL of the links', async (t) => {
  const smtp = { SMTP_URL: 'smtps://user:secret@smtp.example.com' }
  const from = { MAIL_FROM: 'Gatehouse <gate@example.com>' }
  t.same(problemsOf(smtp), ['MAIL_FROM is required with SMTP_URL'])
  t.same(problemsOf({ ...production(), ...real(), ...smtp, ...from }), [
    'PUBLIC_URL is required with SMTP_URL in production'
  ])
  t.match(readConfig({ ...smtp, ...from, PUBLIC_URL: 'https://example.com/gate/' }), {
    smtp: { url: smtp.SMTP_URL, from: from.MAIL_FROM },
    publicUrl: 'https://example.com/gate'
  })
  t.match(readConfig({}), { smtp: null, publicUrl: null })
})

t.test('there is no default end user once a real product is configured', async (t) => {
  const { DXFEED_SECRET, DXFEED_ISSUER, DXFEED_SESSION } = real()
  const one = { DXFEED_SECRET, DXFEED_ISSUER, DXFEED_SESSION } as Variables
  t.equal(readConfig(one).embedUser, null)
  t.equal(readConfig({ ...one, EMBED_USER: 'ann' }).embedUser, 'ann')
  t.equal(readConfig({ EMBED_USER: 'ann' }).embedUser, 'ann')
  t.equal(readConfig({ BOLDBI: 'off' }).embedUser, 'viewer@example.com')
})

t.test('lists are split, and secrets keep their order', async (t) => {
  const [current, previous] = [generateSecret(), generateSecret()]
  const config = readConfig({
    JWT_SECRET: `${current}, ${previous}`,
    EMBED_ORIGINS: 'https://a.test,http://b.test:81',
    TRUST_PROXY: '10.0.0.0/8, ::1',
    DXFEED_FILTERS: 'NYSE;NASDAQ'
  })
  t.same(config.secrets.JWT_SECRET, [current, previous])
  t.same(config.embedOrigins, ['https://a.test', 'http://b.test:81'])
  t.same(config.trustProxy, ['10.0.0.0/8', '::1'])
  t.same(config.dxfeed?.filters, ['NYSE', 'NASDAQ'])
  t.same(readConfig({ TRUST_PROXY: 'loopback' }).trustProxy, ['loopback'])
})

t.test('a command on the database ignores errors of product settings and reports other errors', async (t) => {
  const production = { NODE_ENV: 'production', JWT_SECRET: generateSecret(), SECRETS_KEY: generateSecret() }
  const config = readTaskConfig({ ...production, DATABRAIN_API_KEY: 'k', BOLDBI_EMBED_SECRET: 's' })
  t.match(config, { databrain: null, boldbi: null, dxfeed: null, secrets: { SECRETS_KEY: [production.SECRETS_KEY] } })
  t.throws(() => readTaskConfig({ ...production, SECRETS_KEY: 'short' }), /SECRETS_KEY is shorter/)
})

t.test('the help describes every variable', async (t) => {
  const help = describeEnvironment()
  for (const name of Object.keys(EnvironmentSchema.properties)) t.match(help, new RegExp(`^ {2}${name} +\\S`, 'm'))
  t.match(help, /^ {2}PORT +.* \[3000\]$/m)
})
