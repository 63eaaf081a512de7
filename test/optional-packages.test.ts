import { readFile } from 'node:fs/promises'

import t from 'tap'

import { runWithout } from './helpers/hidden-packages.js'

const root = new URL('../', import.meta.url)

interface Manifest {
  exports: Record<string, { default?: string }>
  peerDependenciesMeta: Record<string, { optional: boolean }>
}

const { exports, peerDependenciesMeta } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as Manifest
const OPTIONAL = Object.keys(peerDependenciesMeta)

/** The first call of a host for each optional package: the package, the module, the call, and the message. */
const FIRST_CALLS: ReadonlyArray<[name: string, module: string, call: string, message: string]> = [
  ['kysely', 'lib/database/open-database.ts', 'openDatabase({ memory: true })',
    'A database needs the package "kysely"'],
  ['@electric-sql/pglite', 'lib/database/open-database.ts', 'openDatabase({ memory: true })',
    'The embedded database needs the package "@electric-sql/pglite"'],
  ['pg', 'lib/database/open-database.ts', 'openDatabase({ url: "postgres://localhost/x" })',
    'A PostgreSQL database needs the package "pg"'],
  ['kysely', 'plugins/event-sink/sql/index.ts', 'sqlSink({})', 'The SQL event sink needs the package "kysely"'],
  ['@nats-io/jetstream', 'plugins/event-sink/jetstream/index.ts', 'jetstreamSink({ connection: {} })',
    'The JetStream event sink needs the package "@nats-io/jetstream"'],
  ['@nats-io/transport-node', 'plugins/event-sink/jetstream/index.ts', 'connectNats({ url: "nats://127.0.0.1:1" })',
    'NATS needs the package "@nats-io/transport-node"'],
  ['ioredis', 'lib/redis/index.ts', 'openRedis({ url: "redis://127.0.0.1:1" })', 'Redis needs the package "ioredis"'],
  ['prom-client', 'test/fixtures/start-metrics.ts', 'startMetrics()',
    'The metrics plugin needs the package "prom-client"'],
  ['@opentelemetry/api', 'test/fixtures/start-tracing.ts', 'startTracingAlone()',
    'The tracing plugin needs the package "@opentelemetry/api"'],
  ['@fastify/otel', 'test/fixtures/start-tracing.ts', 'startTracing()',
    'The tracing plugin needs the package "@fastify/otel"'],
  ['@fastify/static', 'test/fixtures/start-console.ts', 'startConsole()',
    'The adminConsole plugin needs the package "@fastify/static"'],
  ['nodemailer', 'server/mail/smtp.ts', 'openSmtp({ url: "smtp://127.0.0.1:1", from: "a@example.com" })',
    'SMTP_URL needs the package "nodemailer"'],
  ['jose', 'server/mock-products/oidc/index.ts', 'startOidcProvider({ redirectUris: [] })',
    'The mock OpenID Connect provider needs the package "jose"'],
  ['@xmldom/xmldom', 'server/mock-products/saml/index.ts', 'startSamlProvider({ sp: {} })',
    'The mock SAML provider needs the package "@xmldom/xmldom"'],
  ['xml-crypto', 'server/mock-products/saml/index.ts', 'startSamlProvider({ sp: {} })',
    'The mock SAML provider needs the package "xml-crypto"'],
  ['otplib', 'routes/admin/mfa/totp.ts', 'createTotp("x")',
    'A second factor of administrators needs the package "otplib"'],
  ['@simplewebauthn/server', 'routes/admin/mfa/passkeys.ts', 'createPasskeys({ adminTokens: {} }, { origins: [] })',
    'The passkey login of administrators needs the package "@simplewebauthn/server"'],
  ['jose', 'plugins/identity-token/token-verifier.ts', 'openTokenVerifier({ providers: [] })',
    'The identityToken plugin needs the package "jose"'],
  ['openid-client', 'routes/admin/oidc/packages.ts', 'openPackages()',
    'The adminOidc plugin needs the package "openid-client"'],
  ['jose', 'routes/admin/oidc/packages.ts', 'openPackages()', 'The adminOidc plugin needs the package "jose"'],
  ['@node-saml/node-saml', 'routes/admin/saml/tools.ts', 'openSamlTools()',
    'SAML single sign-on of administrators needs the package "@node-saml/node-saml"'],
  ['@xmldom/xmldom', 'routes/admin/saml/xml.ts', 'openXmlParser()',
    'SAML single sign-on of administrators needs the package "@xmldom/xmldom"'],
  ['@node-rs/argon2', 'index.ts', 'createPasswords()', 'Hashing passwords needs the package "@node-rs/argon2"']
]

t.test('every entry is imported without any optional package', async (t) => {
  const modules = Object.values(exports).flatMap((entry) =>
    entry.default === undefined || entry.default.includes('/web/') ? [] : [sourceOf(entry.default)]
  )
  t.ok(modules.length > 25)
  t.ok(OPTIONAL.includes('kysely'))
  const output = await runWithout(
    OPTIONAL,
    `
    for (const url of ${JSON.stringify(modules)}) await import(url).catch((error) => console.log(url, error.message))
    console.log('done')`
  )
  t.equal(output, 'done\n')
})

for (const [name, module, call, message] of FIRST_CALLS) {
  t.test(`the error of ${call} contains the install command of ${name}`, async (t) => {
    const url = new URL(module, root).href
    const output = await runWithout(
      [name],
      `
      const { ${call.slice(0, call.indexOf('('))} } = await import(${JSON.stringify(url)})
      await ${call}.then(() => console.log('it started'), (error) => console.log(error.message))`
    )
    t.equal(output, `${message}, which is not installed: npm install ${name}\n`)
  })
}

function sourceOf (path: string): string {
  return new URL(path.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts'), root).href
}
