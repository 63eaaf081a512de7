// better-auth on PostgreSQL, which extends the session in the database at each request. It does not replace the token.
import { randomUUID } from 'node:crypto'
import type { RequestListener } from 'node:http'

import pg from 'pg'

import { loadPeer } from './packages.js'
import { listenWithSessions } from './sessions.js'

const { DATABASE_URL = '', JWT_SECRET = '' } = process.env
const WEEK_SECONDS = 604_800

interface Auth {
  options: object
  api: { signUpEmail: (call: object) => Promise<{ headers: Headers }> }
}

export async function betterAuth (): Promise<number> {
  const [{ betterAuth: create }, { toNodeHandler }, { getMigrations }] = await Promise.all([
    loadPeer<{ betterAuth: (options: object) => Auth }>('better-auth'),
    loadPeer<{ toNodeHandler: (auth: Auth) => RequestListener }>('better-auth/node'),
    loadPeer<{ getMigrations: (options: object) => Promise<{ runMigrations: () => Promise<void> }> }>(
      'better-auth/db/migration'
    )
  ])
  const auth = create({
    database: new pg.Pool({ connectionString: DATABASE_URL, max: 10 }),
    secret: JWT_SECRET,
    baseURL: 'http://127.0.0.1',
    emailAndPassword: { enabled: true },
    session: { expiresIn: WEEK_SECONDS, updateAge: 0 },
    rateLimit: { enabled: false },
    telemetry: { enabled: false }
  })
  await (await getMigrations(auth.options)).runMigrations()

  async function startSession () {
    const body = { name: 'User', email: `${randomUUID()}@example.com`, password: randomUUID() }
    const { headers } = await auth.api.signUpEmail({ body, returnHeaders: true })
    return { access_token: '', refresh_token: headers.get('set-cookie')?.split(';')[0] ?? '' }
  }

  return await listenWithSessions(toNodeHandler(auth), startSession)
}
