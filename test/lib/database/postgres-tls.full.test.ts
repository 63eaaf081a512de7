import { copyFile, chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'
import { certificateAuthority } from '../../helpers/certificate-authority.js'
import type { CertificateAuthority } from '../../helpers/certificate-authority.js'
import { privatePostgres } from '../../helpers/postgres.js'

const PASSWORD = 'not to be seen anywhere'
// The users "secured" and "certified" need TLS, and the owner of the server does not.
const RULES = `
hostssl all secured 127.0.0.1/32 scram-sha-256
hostssl all certified 127.0.0.1/32 cert
host all postgres 127.0.0.1/32 trust
`

const folder = t.testdir({ ours: {}, foreign: {} })
const [authority, foreign] = await Promise.all(
  ['ours', 'foreign'].map((name) => certificateAuthority(join(folder, name)))
) as [CertificateAuthority, CertificateAuthority]
const [serverFiles, clientFiles] = [await authority.issue('localhost'), await authority.issue('certified')]
const postgres = await privatePostgres(t, {
  async prepare (data) {
    for (
      const [from, to] of [[serverFiles.cert, 'server.crt'], [serverFiles.key, 'server.key'], [authority.cert,
        'root.crt']] as const
    ) await copyFile(from, join(data, to))
    await chmod(join(data, 'server.key'), 0o600)
    await writeFile(join(data, 'pg_hba.conf'), RULES)
    return ['ssl', 'ssl_cert_file=server.crt', 'ssl_key_file=server.key', 'ssl_ca_file=root.crt'].flatMap((
      text
    ) => ['-c', text === 'ssl' ? 'ssl=on' : text])
  }
})
if (postgres === null) process.exit(0)
const { port } = new URL(postgres.url)
const owner = new pg.Client({ connectionString: postgres.url })
await owner.connect()
await owner.query(`create role secured login superuser password '${PASSWORD}'; create role certified login superuser`)
await owner.end()

interface Attempt {
  user?: string
  host?: string
  password?: string
  /** Parameters of the URL. */
  says: Record<string, string>
}

function urlOf ({ user = 'secured', host = 'localhost', password = PASSWORD, says }: Attempt): string {
  return `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/postgres?${new URLSearchParams(says)}`
}

/** Whether the connection is encrypted, and its warnings. */
async function connects (attempt: Attempt): Promise<{ encrypted: boolean | undefined, warnings: string[] }> {
  const warnings: string[] = []
  const database = await openDatabase({
    url: urlOf(attempt),
    migrations: {},
    onWarning: (message) => {
      warnings.push(message)
    }
  })
  try {
    const { rows } = await sql<{ ssl: boolean }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(
      database.db
    )
    return { encrypted: rows[0]?.ssl, warnings }
  } finally {
    await database.close()
  }
}

const good: ReadonlyArray<readonly [what: string, attempt: Attempt]> = [
  ['verify-full and the authority of the server', {
    says: { sslmode: 'verify-full', sslrootcert: authority.cert }
  }],
  ['only an authority', { says: { sslrootcert: authority.cert } }],
  ['verify-ca and another host', { host: '127.0.0.1', says: { sslmode: 'verify-ca', sslrootcert: authority.cert } }],
  ['require, an authority and another host', {
    host: '127.0.0.1',
    says: { sslmode: 'require', sslrootcert: authority.cert }
  }],
  ['a client certificate', {
    user: 'certified',
    password: '',
    says: { sslmode: 'verify-full', sslrootcert: authority.cert, sslcert: clientFiles.cert, sslkey: clientFiles.key }
  }]
]

for (const [what, attempt] of good) {
  t.test(`a connection with ${what} is encrypted, without a warning`, async (t) => {
    t.same(await connects(attempt), { encrypted: true, warnings: [] })
  })
}

t.test('sslmode require or no-verify is encrypted with any server and causes a warning', async (t) => {
  for (const sslmode of ['require', 'no-verify']) {
    const { encrypted, warnings } = await connects({ host: '127.0.0.1', says: { sslmode } })
    t.equal(encrypted, true)
    t.match(warnings, [/trusts any server.*sslmode=verify-full/])
  }
})

t.test('disable and a URL without sslmode are not encrypted, and PGSSLMODE sets the mode of such a URL', async (t) => {
  t.same(await connects({ user: 'postgres', says: { sslmode: 'disable' } }), { encrypted: false, warnings: [] })
  t.same(await connects({ user: 'postgres', says: {} }), { encrypted: false, warnings: [] })
  t.teardown(() => {
    delete process.env.PGSSLMODE
  })
  process.env.PGSSLMODE = 'require'
  t.equal((await connects({ user: 'postgres', says: {} })).encrypted, true)
})

const bad: ReadonlyArray<readonly [what: string, attempt: Attempt, message: RegExp]> = [
  ['verify-full with a certificate for another host', {
    host: '127.0.0.1',
    says: { sslmode: 'verify-full', sslrootcert: authority.cert }
  }, /certificate is not trusted.*127\.0\.0\.1/s],
  ['verify-full without the authority', { says: { sslmode: 'verify-full' } },
    /certificate is not trusted.*sslrootcert/s],
  ['another authority', { says: { sslmode: 'verify-full', sslrootcert: foreign.cert } }, /certificate is not trusted/],
  ['another authority, by verify-ca', { says: { sslmode: 'verify-ca', sslrootcert: foreign.cert } },
    /certificate is not trusted/],
  ['verify-ca without an authority', { says: { sslmode: 'verify-ca' } }, /set sslrootcert to its file/],
  ['sslrootcert=system without verify-full', { says: { sslmode: 'require', sslrootcert: 'system' } },
    /sslrootcert=system/],
  ['an authority that the system does not trust', { says: { sslmode: 'verify-full', sslrootcert: 'system' } },
    /certificate is not trusted/],
  ['an authority in a missing file', { says: { sslmode: 'verify-full', sslrootcert: '/no/such/file' } },
    /sslrootcert cannot be read: ENOENT/],
  ['the mode prefer', { says: { sslmode: 'prefer' } },
    /sslmode=prefer; it must be one of disable, require, verify-ca, verify-full/],
  ['an unknown mode', { says: { sslmode: 'verify_full' } }, /sslmode=verify_full; it must be/],
  ['no TLS with a server that requires it', { says: { sslmode: 'disable' } }, /no pg_hba\.conf entry.*no encryption/],
  ['a wrong password', { password: 'wrong, but not to be seen either', says: { sslmode: 'require' } },
    /password authentication failed for user "secured"/],
  ['no password', { password: '', says: { sslmode: 'require' } }, /requires a password/],
  ['an unknown database', { user: 'postgres', says: {} }, /database "nowhere" does not exist/],
  ['an unknown host', { host: 'no-such-host.invalid', says: {} },
    /the host name is unknown|cannot be resolved/],
  ['a port without a server', { host: '127.0.0.2', says: {} }, /no server listens on this port/]
]

for (const [what, attempt, message] of bad) {
  t.test(`${what} is an error with the reason and without the password`, async (t) => {
    const url = message.source.includes('nowhere') ? urlOf(attempt).replace('/postgres?', '/nowhere?') : urlOf(attempt)
    const error: unknown = await openDatabase({ url, migrations: {}, onWarning: () => {} }).then(
      (database) => database.close(),
      (error: unknown) => error
    )
    t.match(error, { message })
    const whole = `${error instanceof Error ? error.stack : ''}${JSON.stringify(error)}${
      String((error as Error | undefined)?.cause)
    }`
    for (const secret of [PASSWORD, 'not to be seen', encodeURIComponent(PASSWORD)]) t.notOk(whole.includes(secret))
  })
}

t.test('an invalid URL is an error that does not quote the URL', async (t) => {
  for (
    const url of ['postgres://user:sesame#1@host:1/db', 'postgres://user:sesame 2@host:port/db',
      'postgres://user:sesame@[host/db']
  ) {
    const error: unknown = await openDatabase({ url, migrations: {} }).then(() => null, (error: unknown) => error)
    t.match(error, { message: /The database URL is not valid/ })
    t.notMatch(`${String(error)} ${JSON.stringify(error)}`, /sesame/)
  }
})
