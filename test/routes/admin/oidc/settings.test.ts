import t from 'tap'

import { GatehouseError, INVALID_REQUEST } from '../../../../lib/errors.js'
import { checkSecret, checkSettings } from '../../../../routes/admin/oidc/settings.js'

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const strict = { allowPrivate: false }
const check = (settings: object, rules = strict) => () => checkSettings({ client_id: 'gate', ...settings }, rules)

/** Returns the path of the setting that is refused. */
function refusedPath (work: () => void): string | undefined {
  try {
    work()
  } catch (error) {
    return error instanceof GatehouseError ? error.details?.[0]?.path : undefined
  }
}

t.test('issuers must be https URLs at public addresses', async (t) => {
  for (const issuer of ['http://idp.example', 'http://127.0.0.1:3000', 'https://127.0.0.1', 'https://10.0.0.1/realm',
    'https://169.254.169.254/', 'https://[::1]/', 'https://[fd00::1]', 'https://2130706433/', 'https://user@idp.example',
    'https://idp.example/?a=b', 'https://idp.example/#a', 'ftp://idp.example', 'idp.example', '', 'javascript:1']) {
    t.throws(check({ issuer }), INVALID_REQUEST, issuer)
  }
  for (const issuer of ['https://idp.example', 'https://acme.eu.auth0.com/', 'https://idp.example/realms/acme']) {
    t.doesNotThrow(check({ issuer }), issuer)
  }
})

t.test('with allowPrivate an issuer may be at a private address, and with http on loopback', async (t) => {
  const rules = { allowPrivate: true }
  for (const issuer of ['http://127.0.0.1:3000', 'http://localhost:8080/realms/acme', 'https://10.0.0.1']) {
    t.doesNotThrow(check({ issuer }, rules), issuer)
  }
  t.throws(check({ issuer: 'http://10.0.0.1' }, rules), INVALID_REQUEST)
})

t.test('an issuer that everybody can use needs a pin to one organisation', async (t) => {
  t.equal(refusedPath(check({ issuer: 'https://accounts.google.com' })), '/settings/hosted_domain')
  t.doesNotThrow(check({ issuer: 'https://accounts.google.com', hosted_domain: 'example.com' }))
  for (const name of ['common', 'organizations', 'consumers', '{tenantid}']) {
    t.equal(refusedPath(check({ issuer: `https://login.microsoftonline.com/${name}/v2.0` })), '/settings/issuer')
  }
  t.doesNotThrow(check({ issuer: `https://login.microsoftonline.com/${TENANT}/v2.0` }))
})

t.test('the scopes must contain openid', async (t) => {
  t.equal(refusedPath(check({ issuer: 'https://idp.example', scopes: ['email'] })), '/settings/scopes')
})

t.test('a client secret is required, but for a public client, which has none', async (t) => {
  const settings = { issuer: 'https://idp.example', client_id: 'gate' }
  const none = { ...settings, token_endpoint_auth_method: 'none' }
  t.throws(() => checkSecret(null, settings), INVALID_REQUEST)
  t.throws(() => checkSecret('', settings), INVALID_REQUEST)
  t.throws(() => checkSecret('secret', none), INVALID_REQUEST)
  t.doesNotThrow(() => checkSecret('secret', settings))
  t.doesNotThrow(() => checkSecret(null, none))
})
