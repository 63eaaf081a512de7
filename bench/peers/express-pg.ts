// A typical hand-written server: one look-up of a key and one INSERT per request.
import express from 'express'
import pg from 'pg'

import { PIPELINE_KEY } from '../load.js'
import { listening } from '../serve.js'

export async function expressWithPg (): Promise<number> {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
  await pool.query('create table hand_keys (key text primary key, source_id text not null)')
  await pool.query(
    'create table hand_events (id bigint generated always as identity primary key, source_id text ' +
      'not null, type text not null, received_at timestamptz not null default now(), payload jsonb not null)'
  )
  await pool.query('insert into hand_keys values ($1, $2)', [PIPELINE_KEY, 'source'])

  const app = express()
  app.use(express.json({ limit: '512kb' }))
  app.post('/v1/t', async (request, response) => {
    const key = request.headers.authorization?.replace(/^Bearer /, '')
    const { rows: [source] } = await pool.query<{ source_id: string }>(
      'select source_id from hand_keys where key = $1',
      [key]
    )
    if (source === undefined) {
      response.status(401).json({ error: 'unknown key' })
      return
    }
    await pool.query('insert into hand_events (source_id, type, payload) values ($1, $2, $3)', [source.source_id,
      'track', request.body])
    response.json({ success: true })
  })
  return await listening(app.listen(0, '127.0.0.1'))
}
