import t from 'tap'

import { PASSWORD } from '../../../helpers/admin.js'
import { trustingApp } from '../../../helpers/trusting-provider.js'

t.test('the issuer of a provider cannot be changed, as its subjects would become other people', async (t) => {
  const app = await trustingApp(t)
  await app.addUser('owner@example.com', 'owner')
  const { access_token: token } = (await app.post('login', { email: 'owner@example.com', password: PASSWORD })).json()
  const patch = (body: object) => app.app.inject({
    method: 'PATCH',
    url: `/v1/admin/identity-providers/${app.provider}`,
    headers: { authorization: `Bearer ${token}` },
    payload: body
  })
  for (const issuer of ['https://other.example', null]) {
    const reply = await patch({ settings: { issuer } })
    t.equal(reply.statusCode, 400)
    t.match(reply.json().error, { code: 'INVALID_REQUEST', details: [{ path: '/settings/issuer' }] })
  }
  t.equal((await patch({ name: 'New', settings: { issuer: 'https://idp.example' } })).statusCode, 200)
  t.match(await app.store.identityProviders.get('default', app.provider), {
    name: 'New', settings: { issuer: 'https://idp.example' }
  })
})
