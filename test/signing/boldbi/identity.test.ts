import t from 'tap'

import { identityEntries } from '../../../signing/boldbi/identity.js'
import type { EmbedIdentity } from '../../../signing/boldbi/identity.js'

t.test('a filter of a wrong shape or name is an error, because an ignored filter would show all rows', async (t) => {
  const email = 'a@b.c'
  const wrong: unknown[] = [
    { email, datasourceFilter: '[{&Region=EU}]' },
    { email, datasourceFilter: null },
    { email, datasourceFilter: ['x'] },
    { email, datasourceFilter: { Region: 'EU' } },
    { email, datasourceFilter: { fields: 'Region=EU' } },
    { email, datasourceFilter: { parameters: null } },
    { email, datasourcefilter: { fields: { Region: 'EU' } } },
    { email, customAttributes: 'Region=EU' },
    { email, customAttributes: ['EU'] },
    { email, groupAccess: { authProvider: 'x', userId: 'y', import: true } },
    { email, anonymous: 'viewers' },
    { email, anonymous: { group: 'viewers', groups: [] } }
  ]
  for (const identity of wrong) {
    t.throws(() => identityEntries(identity as EmbedIdentity), TypeError, JSON.stringify(identity))
  }
  t.same(identityEntries({ email, datasourceFilter: { fields: { Region: 'EU' } } }), ['embed_user_email=a@b.c',
    'embed_datasource_filter=[{&Region=EU}]'])
})

t.test('the tenant and the time of a grant are not written', async (t) => {
  const grant = { email: 'a@b.c', tenant: 'acme', issuedAt: 1_756_891_690_000 }
  t.same(identityEntries(grant), ['embed_user_email=a@b.c'])
})
