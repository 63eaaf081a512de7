import t from 'tap'

import { privatePostgres } from '../helpers/postgres.js'

// Those of the routes that store the most, on PostgreSQL in every run; `npm run test:stores` runs all of them on
// every store.
const FILES = ['admin/auth/login', 'admin/api/sources', 'admin/api/webhooks', 'ingestion/events',
  'ingestion/webhook/webhook', 'databrain/guest-token/cache']

const postgres = await privatePostgres(t)
if (postgres !== null) {
  process.env.GATEHOUSE_TEST_STORE = 'postgres'
  for (const file of FILES) await import(`../routes/${file}.test.js`)
}
