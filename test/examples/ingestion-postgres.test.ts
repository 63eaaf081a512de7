import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import type { FastifyInstance } from 'fastify'
import pg from 'pg'
import t from 'tap'
import type { Test } from 'tap'

import { generatePipelineKey, generateSecret, signBody } from '../../signing/index.js'
import { exampleApp, exampleFile, startError, startExample } from '../helpers/example.js'
import type { Environment } from '../helpers/example.js'
import { folderWithDatabase } from '../helpers/database-folder.js'

const SHOP = 'https://shop.example.com'
const INTERNAL_KEY = generateSecret()
const { EXAMPLES_DATABASE_URL: url } = process.env

/** PostgreSQL at EXAMPLES_DATABASE_URL; without it, an embedded database. All tests of this file share it. */
async function environment (): Promise<Environment> {
  const database: Environment = url === undefined ? { DATA_DIR: await folderWithDatabase(t) } : { DATABASE_URL: url }
  return { ...database, SECRETS_KEY: generateSecret(), INTERNAL_KEY }
}

/** Runs the script that creates a source, and reads the two keys that it prints. */
async function createSource (): Promise<{ key: string, secret: string }> {
  const script = await exampleFile('ingestion-postgres', 'create-source.js')
  // As all of these tests, with the compiler of WebAssembly that starts the embedded database faster.
  const args = ['--liftoff-only', script, 'Shop', SHOP]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  const [, key = '', secret = ''] = /^Pipeline key: +(\S+)\nServer secret: (\S+)\n$/.exec(stdout) ?? []
  return { key, secret }
}

/** What internal services read, newest first. */
async function readEvents (app: FastifyInstance): Promise<object[]> {
  const headers = { authorization: `Bearer ${INTERNAL_KEY}` }
  const response = await app.inject({ url: '/internal/events?limit=100', headers })
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.json()
}

const env = await environment()
const { key, secret } = await createSource()
const authorization = `Bearer ${key}`

t.test('events of pages and servers are stored once, are read back, and outlive the process', async (t) => {
  const app = await exampleApp(t, 'ingestion-postgres', env)
  const seen = { event: 'Product Viewed', userId: 'ann', messageId: 'seen-1', properties: { sku: '4711' } }
  for (let times = 0; times < 2; times++) {
    const headers = { authorization, origin: SHOP }
    const accepted = await app.inject({ method: 'POST', url: '/v1/t', payload: seen, headers })
    t.equal(accepted.statusCode, 200)
    t.equal(accepted.headers['access-control-allow-origin'], SHOP)
  }
  const paid = { type: 'track', event: 'Order Paid', userId: 'ann', messageId: 'paid-1' }
  const headers = { authorization, 'x-datafly-signature': signBody(secret, JSON.stringify(paid)) }
  t.equal((await app.inject({ method: 'POST', url: '/v1/events', payload: paid, headers })).statusCode, 200)
  const stored = [{ ...paid, authMethod: 'signature' }, { ...seen, authMethod: 'key' }]
  t.match(await readEvents(app), stored)
  await app.close()

  const restarted = await exampleApp(t, 'ingestion-postgres', env)
  const events = await readEvents(restarted)
  t.match(events, stored)
  t.equal(events.length, 2)
  if (url !== undefined) t.equal(await countRows(url), 2, 'in PostgreSQL')
  await t.test('refused events are not stored', (t) => refuse(t, restarted))
})

async function countRows (url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ count: number }>('select count(*)::int as count from events').finally(() =>
    client.end()
  )
  return rows[0]?.count ?? 0
}

async function refuse (t: Test, app: FastifyInstance): Promise<void> {
  const before = await readEvents(app)
  const page = { event: 'Product Viewed', userId: 'ann' }
  const unknown = `Bearer ${generatePipelineKey('live')}`
  const forged = signBody(secret, 'another body')
  for (
    const [status, code, url, payload, headers] of [
      [403, 'ORIGIN_NOT_ALLOWED', '/v1/t', page, { origin: 'https://evil.example' }],
      [401, 'INVALID_PIPELINE_KEY', '/v1/t', page, { authorization: unknown }],
      [401, 'INVALID_SIGNATURE', '/v1/events', { type: 'track', ...page }, { 'x-datafly-signature': forged }],
      [401, 'SIGNATURE_REQUIRED', '/v1/events', { type: 'track', ...page }, {}],
      [400, 'INVALID_REQUEST', '/v1/t', { userId: 'ann' }, { origin: SHOP }]
    ] as const
  ) {
    const response = await app.inject({ method: 'POST', url, payload, headers: { authorization, ...headers } })
    t.strictSame([response.statusCode, response.json().error.code], [status, code])
  }
  t.same(await readEvents(app), before)
  for (const headers of [{}, { authorization: `Bearer ${generateSecret()}` }]) {
    const response = await app.inject({ url: '/internal/events', headers })
    t.strictSame([response.statusCode, response.json().error.code], [401, 'UNAUTHORIZED'])
  }
}

t.test('it starts with its environment, ends on SIGTERM, and does not start without a key', async (t) => {
  const { origin, stop } = await startExample(t, 'ingestion-postgres', env)
  t.equal((await fetch(`${origin}/readyz`)).status, 200)
  t.equal(await stop(), 0)
  t.match(await startError(t, 'ingestion-postgres', { ...env, SECRETS_KEY: '' }), 'secretsKeys')
})
