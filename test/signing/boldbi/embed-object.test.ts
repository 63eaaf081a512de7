import t from 'tap'

import { embedFilter } from '../../../signing/boldbi/filter.js'
import type { EmbedIdentity } from '../../../signing/boldbi/identity.js'
import { embedObject } from '../../../signing/boldbi/embed-object.js'

const TARGET = { serverUrl: 'https://bi.example.com/bi', siteIdentifier: 'site/site1' }
const { isIn, isNotIn, greaterThan, between, startsWith } = embedFilter

function object (identity: EmbedIdentity): Record<string, unknown> {
  return JSON.parse(embedObject(identity, 'd1', TARGET, 'the secret')) as Record<string, unknown>
}

const BARE = {
  serverurl: 'https://bi.example.com/bi',
  siteidentifier: 'site/site1',
  email: 'jo@example.com',
  embedsecret: 'the secret',
  dashboard: { id: 'd1' }
}
const email = 'jo@example.com'

t.test('the object has the properties of Bold BI 14.1, and only the given properties', async (t) => {
  t.same(object({ email }), BARE)
  t.same(object({ username: 'jo@example.com', datasourceFilter: {}, customAttributes: {} }), BARE)
  t.same(
    object({
      email,
      datasourceFilter: {
        parameters: { CustomerId: isNotIn([1001, 1002]), Year: '2026' },
        fields: { shipCountry: 'India', Region: ['North', 'East'], n: isIn([1]) }
      },
      customAttributes: { database_name: "DB'2" },
      groupAccess: { authProvider: 'azure', userId: 'u1', userImport: true },
      anonymous: { group: 'guests' }
    }),
    {
      ...BARE,
      datasourcefilters: [
        { name: 'shipCountry', value: 'India', operator: '=' },
        { name: 'Region', value: ['North', 'East'], operator: 'IN' },
        { name: 'n', value: [1], operator: 'IN' }
      ],
      dashboardparameters: [{ name: 'CustomerId', value: [1001, 1002], operator: 'NOT IN' }, {
        name: 'Year',
        value: '2026',
        operator: '='
      }],
      customattributes: [{ name: 'database_name', value: "DB'2" }],
      groupbasedauthorization: { isenabled: true, userid: 'u1', authprovidername: 'azure', isenableduserimport: true },
      anonymous: { isenabled: true, groupname: 'guests' }
    }
  )
  t.same(object({ email, groupAccess: { authProvider: 'azure', userId: 'u1' } }).groupbasedauthorization, {
    isenabled: true,
    userid: 'u1',
    authprovidername: 'azure'
  })
})

t.test('a value that the object cannot express or that could change its meaning is a TypeError', async (t) => {
  for (const filter of [greaterThan(1), between(1, 2), startsWith('a')]) {
    t.throws(() => object({ email, datasourceFilter: { fields: { a: filter } } }), {
      name: 'TypeError',
      message: /^datasourceFilter\.fields\["a"\]: .*isIn and isNotIn/
    })
  }
  for (const value of ['Johnson & Johnson', 'Syncfusion, Inc', 'a|b', 'Acme (EU)', 'a<b']) {
    for (const filter of [value, [value], isNotIn(['x', value])]) {
      t.throws(() => object({ email, datasourceFilter: { fields: { Company: filter } } }), {
        message: /^datasourceFilter\.fields\["Company"\]: /
      }, value)
    }
  }
  const wrong: EmbedIdentity[] = [{}, { email: 'a&b' }, { email, datasourceFilter: { fields: { a: 'x|b=y' } } }, {
    email,
    anonymous: { group: ' ' }
  }]
  for (const identity of wrong) t.throws(() => object(identity), { name: 'TypeError' }, JSON.stringify(identity))
  t.throws(() => embedObject({ email }, 'd1', TARGET, ''), { name: 'TypeError', message: /^embedSecret: / })
})
