// The guest-token route without its cache, and the sample for Express of the product's documentation.
import express from 'express'
import Fastify from 'fastify'

import { openDatabase } from '../../lib/database/open-database.js'
import auditLog from '../../plugins/audit-log/index.js'
import tokenStore from '../../plugins/token-store/index.js'
import { sqlStore } from '../../plugins/token-store/sql/index.js'
import guestToken from '../../routes/databrain/guest-token/index.js'
import { listen, listening } from '../serve.js'

const { DATABASE_URL = '', PROXY_KEY = '', REFERENCE_KEY = '', SECRETS_KEY = '', UPSTREAM = '' } = process.env
const API_KEY = 'the-key-of-the-analytics-API'

export async function uncached (): Promise<number> {
  const app = Fastify()
  const store = sqlStore(await openDatabase({ url: DATABASE_URL }), { secretsKeys: [SECRETS_KEY] })
  await app.register(tokenStore, { store })
  await app.register(auditLog)
  await app.register(guestToken, {
    proxyKeys: [PROXY_KEY],
    userReferenceKeys: [REFERENCE_KEY],
    apiKey: API_KEY,
    apiUrl: UPSTREAM,
    dataAppName: 'sales',
    cache: false,
    rateLimit: false,
    userRateLimit: false
  })
  return await listen(app)
}

export function expressSample (): Promise<number> {
  const app = express()
  app.get('/api/databrain/guest-token', async (request, response) => {
    try {
      if (request.headers.authorization !== `Bearer ${PROXY_KEY}`) {
        response.status(401).json({ error: { code: 'UNAUTHORIZED', message: 'Invalid authentication key' } })
        return
      }
      // In place of the session of the sample, which is not read here.
      const user = { id: 'customer-42' }
      const upstream = await fetch(`${UPSTREAM}/api/v2/guest-token/create`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${API_KEY}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ clientId: user.id, dataAppName: 'sales' })
      })
      const data = await upstream.json() as { token?: string, error?: unknown }
      if (data.error) response.status(400).json({ error: data.error })
      else response.json({ token: data.token })
    } catch {
      response.status(500).json({ error: { code: 'INTERNAL_ERROR', message: 'Failed to generate guest token' } })
    }
  })
  return listening(app.listen(0, '127.0.0.1'))
}
