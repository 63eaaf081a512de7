import t from 'tap'

import { parseEmbedQuery } from '../../../signing/boldbi/query.js'
import type { EmbedIdentity } from '../../../signing/boldbi/identity.js'
import { buildEmbedQuery, signEmbedQuery, signedEmbedQuery } from '../../../signing/boldbi/signature.js'
import { hmacSha256 } from '../../../signing/digest.js'
import { nistCases, rfc4231Cases, signatures } from '../vectors.js'

const QUERY = parseEmbedQuery('embed_nonce=1&embed_mode=view')
const SECRET = '8apLLNabQisvriG2W1nOI7XWkl2CsYY'

/** The part that an identity adds to the client's query. */
function added (identity: EmbedIdentity): string {
  return buildEmbedQuery(QUERY, identity, 1_756_891_690).slice('embed_nonce=1&embed_mode=view&'.length)
}

t.test('the signatures of the vectors are reproduced byte for byte', async (t) => {
  for (const { secret, query, signature } of signatures.boldbi) t.equal(signEmbedQuery(query, secret), signature)
})

t.test('the printable keys of RFC 4231 and NIST produce their tags', async (t) => {
  for (const { key, data, tag } of rfc4231Cases) {
    const [secret, query] = [Buffer.from(key, 'hex').toString('utf8'), Buffer.from(data, 'hex').toString('utf8')]
    if (Buffer.from(secret).toString('hex') !== key || Buffer.from(query).toString('hex') !== data || tag.truncated) {
      continue
    }
    t.equal(Buffer.from(signEmbedQuery(query, secret), 'base64').toString('hex'), tag.hex)
  }
  for (const { key, data_text, tag } of nistCases) {
    const secret = Buffer.from(key, 'hex').toString('utf8')
    if (Buffer.from(secret).toString('hex') === key) {
      t.equal(Buffer.from(signEmbedQuery(data_text, secret), 'base64').toString('hex'), tag)
    }
  }
})

t.test('building the parts of the first vector produces the vector', async (t) => {
  const [vector] = signatures.boldbi
  const { query = '', secret = '', signature = '' } = vector ?? {}
  const client = query.slice(0, query.indexOf('&embed_user_email='))
  const built = buildEmbedQuery(parseEmbedQuery(client), { email: 'viewer@example.com' }, 1_756_891_690)
  t.equal(built, query)
  t.equal(signedEmbedQuery(built, secret), `${query}&embed_signature=${signature}`)
})

t.test('the signature is raw base64, with unencoded "+", "/" and "=="', async (t) => {
  const seen = new Set<string>()
  for (let nonce = 0; nonce < 100; nonce++) {
    const query = buildEmbedQuery(parseEmbedQuery(`embed_nonce=${nonce}`), { email: 'a@b.c' }, 1)
    const expected = hmacSha256(SECRET, query).toString('base64')
    t.equal(signedEmbedQuery(query, SECRET), `${query}&embed_signature=${expected}`)
    for (const character of expected) if ('+/='.includes(character)) seen.add(character)
  }
  t.equal(seen.size, 3)
})

t.test("the server's keys follow the client's keys in a fixed order", async (t) => {
  t.equal(added({ username: 'jo' }), 'embed_user_email=jo&embed_server_timestamp=1756891690')
  t.equal(
    added({
      email: 'jo@example.com',
      datasourceFilter: {
        parameters: { Region: 'EU', Year: '2025' },
        fields: { country: ['India', 'Nepal'], city: 'Oslo' }
      },
      customAttributes: { database_name: 'DB2', dept: 'R D' },
      groupAccess: { authProvider: 'GlobalOAuth', userId: '1212', userImport: true },
      anonymous: { group: 'Alpha' }
    }),
    'embed_user_email=jo@example.com&embed_server_timestamp=1756891690' +
      '&embed_datasource_filter=[{&&Region=EU&&Year=2025&country=IN(India,Nepal)&city=Oslo}]' +
      '&embed_custom_attribute=[{%22database_name%22:%22DB2%22,%22dept%22:%22R%20D%22}]' +
      '&embed_group_access=true&embed_auth_provider=GlobalOAuth&embed_user_id=1212&embed_user_import=true' +
      '&embed_anonymous_token=true&embed_authorize_group=Alpha'
  )
  t.equal(
    added({ email: 'a@b.c', datasourceFilter: {}, customAttributes: {} }),
    'embed_user_email=a@b.c&embed_server_timestamp=1756891690'
  )
})

t.test('values are decoded unchanged by every kind of server, and a URL parser does not change ' +
  'the bytes', async (t) => {
  for (
    const value of ['a+b@example.com', "o'neil@example.com", 'Jürgen Übel', '100%', '5 % off', 'a;b', '"quoted"',
      '日本 🙂', 'a=b?c/d', '<x>', 'a\\b', '^`|~']
  ) {
    const query = buildEmbedQuery(QUERY, { username: value, customAttributes: { name: value } }, 1)
    t.match(query, /^[!-~]+$/, value)
    const raw = query.split('&').find((pair) =>
      pair.startsWith('embed_user_email=')
    )?.slice('embed_user_email='.length) ?? ''
    t.equal(decodeURIComponent(raw), value)
    t.equal(new URLSearchParams(query).get('embed_user_email'), value)
    t.same(JSON.parse(new URLSearchParams(query).get('embed_custom_attribute') ?? ''), [{ name: value }])
    t.equal(new URL(`https://bi.test/embed/authorize?${query}`).search, `?${query}`)
  }
  t.match(
    buildEmbedQuery(parseEmbedQuery('embed_dashboard_path=/a+b'), { email: 'a@b.c' }, 1),
    /^embed_dashboard_path=\/a%2Bb&/,
    'a plus of the client too'
  )
})

t.test('values that could end early or begin another parameter are refused, and the error contains only the ' +
  "field's name", async (t) => {
  for (const character of ['&', '#', ']', '}', '\r', '\n', '\0', '\t', '\x7f', '\u0085', '\ud800']) {
    const value = `hunter2${character}x`
    const identities: Array<[EmbedIdentity, RegExp]> = [
      [{ email: value }, /^email: /],
      [{ username: value }, /^username: /],
      [{ email: 'a@b.c', datasourceFilter: { parameters: { Region: value } } },
        /^datasourceFilter\.parameters\["Region"\]: /],
      [{ email: 'a@b.c', datasourceFilter: { parameters: { [value]: 'x' } } },
        /^datasourceFilter\.parameters: a name: /],
      [{ email: 'a@b.c', datasourceFilter: { fields: { Region: value } } }, /^datasourceFilter\.fields\["Region"\]: /],
      [{ email: 'a@b.c', datasourceFilter: { fields: { Region: ['x', value] } } },
        /^datasourceFilter\.fields\["Region"\]: /],
      [{ email: 'a@b.c', customAttributes: { db: value } }, /^customAttributes: a value: /],
      [{ email: 'a@b.c', customAttributes: { [value]: 'x' } }, /^customAttributes: a name: /],
      [{ email: 'a@b.c', groupAccess: { authProvider: value, userId: '1' } }, /^groupAccess\.authProvider: /],
      [{ email: 'a@b.c', groupAccess: { authProvider: 'x', userId: value } }, /^groupAccess\.userId: /],
      [{ email: 'a@b.c', anonymous: { group: value } }, /^anonymous\.group: /]
    ]
    for (const [identity, field] of identities) {
      // A filter value has a documented escape for "&".
      if (character === '&' && field.source.includes('Region')) continue
      t.throws(() => added(identity), { name: 'TypeError', message: field }, JSON.stringify(identity))
      t.throws(() => added(identity), { message: /^(?!.*hunter2)/ })
    }
  }
})

t.test('an identity without a user, or with a value that would widen a filter, is refused', async (t) => {
  const refused = [
    {},
    { email: '' },
    { email: ' ' },
    { email: 'a@b.c', username: 'a' },
    { email: 42 },
    { email: ['a@b.c'] },
    { email: 'a@b.c', anonymous: { group: '' } },
    { email: 'a@b.c', datasourceFilter: { fields: { Region: '' } } },
    { email: 'a@b.c', datasourceFilter: { fields: { Region: [] } } },
    { email: 'a@b.c', datasourceFilter: { fields: { Region: 'IN[EU,US]' } } },
    { email: 'a@b.c', datasourceFilter: { fields: { Region: ['EU~,~US'] } } },
    { email: 'a@b.c', datasourceFilter: { parameters: { Region: ['EU)'] } } },
    { email: 'a@b.c', datasourceFilter: { fields: { 'a=b': 'x' } } },
    { email: 'a@b.c', datasourceFilter: { parameters: { EMBED_user_email: 'x' } } },
    { email: 'a@b.c', customAttributes: { db: 1 } }
  ]
  for (const identity of refused) {
    t.throws(() => added(identity as unknown as EmbedIdentity), { name: 'TypeError' }, JSON.stringify(identity))
  }
})

t.test('a server time that is not in whole unix seconds is refused', async (t) => {
  for (const time of [0, -1, 1.5, NaN, 1_756_891_690_000, Infinity]) {
    t.throws(() => buildEmbedQuery(QUERY, { email: 'a@b.c' }, time), {
      name: 'RangeError',
      message: /^serverTimestamp: /
    }, String(time))
  }
})

t.test('a query that could not be sent as signed is refused, and so is an empty secret', async (t) => {
  for (const query of ['', 'a=b c', 'a=ü', 'a=b#c', 'a=b\r\n', 'a=\0']) {
    t.throws(() => signedEmbedQuery(query, SECRET), { name: 'TypeError', message: /^query: / }, query)
  }
  t.throws(() => signEmbedQuery('a=b', ''), { name: 'TypeError', message: /^embedSecret: / })
})
