// oidc-provider with rotated refresh tokens, JWT access tokens and a PostgreSQL adapter.
import { createSecretKey, randomBytes } from 'node:crypto'

import Provider from 'oidc-provider'
import pg from 'pg'

import { CREATE_TABLE, postgresAdapter } from './oidc-adapter.js'
import { listenWithSessions } from './sessions.js'

const { DATABASE_URL = '' } = process.env
const [ACCOUNT, CLIENT, RESOURCE] = ['user', 'bench', 'urn:bench:api']

export async function oidcProvider (): Promise<number> {
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 })
  await pool.query(CREATE_TABLE)
  const key = createSecretKey(randomBytes(32))
  const provider = new Provider('http://127.0.0.1', {
    adapter: postgresAdapter(pool),
    clients: [{
      client_id: CLIENT,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['https://app.example.com/callback']
    }],
    cookies: { keys: ['not used by the token endpoint'] },
    rotateRefreshToken: true,
    ttl: { AccessToken: 900, RefreshToken: 604_800, Grant: 604_800 },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        getResourceServerInfo: () => ({
          scope: 'api',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'HS256', key } }
        })
      }
    }
  })

  async function startSession () {
    const grant = new provider.Grant({ accountId: ACCOUNT, clientId: CLIENT })
    grant.addResourceScope(RESOURCE, 'api')
    const client = await provider.Client.find(CLIENT)
    if (client === undefined) throw new Error('The client is missing')
    const token = new provider.RefreshToken({
      accountId: ACCOUNT,
      client,
      grantId: await grant.save(),
      gty: 'authorization_code',
      rotations: 0,
      scope: 'api',
      resource: RESOURCE
    })
    return { access_token: '', refresh_token: await token.save() }
  }

  return await listenWithSessions(provider.callback(), startSession)
}
