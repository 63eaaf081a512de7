// Imports and registers one plugin in this process and prints what the process used: `plugin.mjs <name>`. The package
// must be built. The name `fastify` stands for an app without a plugin, `index` for the import of the whole package.
import Fastify from 'fastify'

const SECRET = 'k7Qd-2mVx9_pLw4ZtR8yBn3H-s5Jc6Tf'
const DATABRAIN = { apiKey: SECRET, dataAppName: 'sales', proxyKeys: [SECRET] }
const ADMIN = ['token-store', 'audit-log']

/** The module below `dist/`, the options, and the plugins that must be registered before. */
const PLUGINS = {
  'error-envelope': ['plugins/error-envelope.js', {}],
  'proxy-key': ['plugins/proxy-key.js', { keys: [SECRET] }],
  'user-reference': ['plugins/user-reference/index.js', { keys: [SECRET] }],
  signature: ['plugins/signature.js', { secrets: () => [SECRET] }],
  captcha: ['plugins/captcha/index.js', {
    provider: 'turnstile',
    secret: SECRET,
    hostnames: ['shop.example.com']
  }, ['token-store']],
  csrf: ['plugins/csrf/index.js', { key: SECRET, sessionOf: () => null, tokenPath: '/csrf-token' }],
  'connection-limit': ['plugins/connection-limit/index.js', { max: 10 }],
  'rate-limit': ['plugins/rate-limit/index.js', { address: { max: 300, timeWindow: 60_000 } }],
  'require-https': ['plugins/require-https.js', {}],
  metrics: ['plugins/metrics/index.js', {}],
  'token-store': ['plugins/token-store/index.js', {}],
  'event-sink': ['plugins/event-sink/index.js', {}],
  'event-feed': ['plugins/event-feed/index.js', {}],
  'identity-token': ['plugins/identity-token/index.js', {
    providers: [{ issuer: 'https://acme.eu.auth0.com/', audience: 'https://api.acme.example' }]
  }],
  'audit-log': ['plugins/audit-log/index.js', {}, ['token-store']],
  'pipeline-key': ['plugins/pipeline-key/index.js', {}, ['token-store']],
  'admin-guard': ['plugins/admin-guard/index.js', { jwtSecrets: [SECRET] }, ADMIN],
  'guest-token': ['routes/databrain/guest-token/index.js', { ...DATABRAIN, userReferenceKeys: [SECRET] }],
  'databrain-proxy': ['routes/databrain/proxy/index.js', { ...DATABRAIN, authorize: () => null }],
  'embed-authorize': ['routes/embed-authorize/index.js', {
    servers: [{ apiUrl: 'https://bi.example.com/bi/api/site/site1', embedSecret: SECRET }],
    authorize: () => null
  }],
  'widget-token': ['routes/widget-token/index.js', {
    secret: SECRET,
    issuer: 'acme',
    session: 'web',
    authorize: () => null
  }],
  ingestion: ['routes/ingestion/index.js', {}, ['token-store', 'event-sink']],
  'admin-auth': ['routes/admin/auth/index.js', {}, [...ADMIN, 'admin-guard']],
  'admin-api': ['routes/admin/api/index.js', {}, [...ADMIN, 'event-sink', 'admin-guard']],
  'admin-keys': ['routes/admin/keys/index.js', {}, [...ADMIN, 'admin-guard']],
  'admin-users': ['routes/admin/users/index.js', {
    linkUrl: 'https://app.example.com/account',
    sendMail: async () => {}
  }, [...ADMIN, 'admin-guard', 'admin-auth']],
  'admin-mfa': ['routes/admin/mfa/index.js', { appName: 'Example' }, [...ADMIN, 'admin-guard', 'admin-auth']],
  'admin-oidc': ['routes/admin/oidc/index.js', {
    publicUrl: 'https://gate.example.com',
    loginPage: '/login'
  }, [...ADMIN, 'admin-guard', 'admin-auth']],
  'admin-saml': ['routes/admin/saml/index.js', {
    publicUrl: 'https://gate.example.com',
    loginPage: '/login'
  }, [...ADMIN, 'admin-guard', 'admin-auth']],
  scim: ['routes/admin/scim/index.js', {}, [...ADMIN, 'admin-guard', 'admin-keys']]
}

const [name = ''] = process.argv.slice(2)
if (name === 'list') {
  console.log(['fastify', ...Object.keys(PLUGINS), 'index'].join('\n'))
} else {
  const began = performance.now()
  const app = Fastify()
  if (name === 'index') await import('../../dist/index.js')
  else if (name !== 'fastify') await register(app, name)
  await app.ready()
  const { user, system } = process.cpuUsage()
  const elapsed = performance.now() - began
  globalThis.gc?.()
  const memory = process.memoryUsage.rss() / 1_048_576
  console.log(JSON.stringify({ processor: (user + system) / 1_000, elapsed, memory }))
  await app.close()
}

async function register (app, plugin) {
  const [file, options, needed = []] = PLUGINS[plugin] ?? []
  if (file === undefined) throw new Error(`unknown plugin ${plugin}`)
  for (const other of needed) await registerAlone(app, PLUGINS[other])
  await registerAlone(app, [file, options])
}

async function registerAlone (app, [file, options]) {
  await app.register((await import(`../../dist/${file}`)).default, options)
}
