import Fastify from 'fastify'
import t from 'tap'

import { FORBIDDEN, UNAUTHORIZED } from '../../../lib/errors.js'
import embedAuthorize from '../../../routes/embed-authorize/index.js'
import type { EmbedAuthorizeOptions, EmbedIdentity } from '../../../routes/embed-authorize/index.js'
import { SECRET, embedApp, embedQuery, readCall } from '../../helpers/embed.js'

const NOBODY: Array<[string, EmbedAuthorizeOptions['authorize']]> = [
  ['returns null', () => null],
  ['returns undefined', () => undefined],
  ['resolves null', async () => null],
  ['throws UNAUTHORIZED', () => {
    throw new UNAUTHORIZED()
  }]
]

for (const errors of ['sdk', 'http'] as const) {
  t.test(`a request without a user is 401, and Bold BI is not called, with errors: '${errors}'`, async (t) => {
    for (const [how, authorize] of NOBODY) {
      const { bi, post } = await embedApp(t, { authorize, errors })
      const reply = await post(embedQuery())
      t.equal(reply.statusCode, 401, how)
      t.equal(reply.json().error.code, 'UNAUTHORIZED')
      t.equal(bi.connections(), 0)
    }
  })
}

t.test('a key that is reserved for the server is 400, in any letter case and encoding', async (t) => {
  const { bi, post } = await embedApp(t)
  const keys = [
    'embed_user_email',
    'EMBED_USER_EMAIL',
    'Embed_User_Email',
    '%65mbed_user_email',
    'embed%5fuser%5Femail',
    'embed_user_email%20',
    '+embed_user_email',
    '%00embed_user_email',
    'embed_server_timestamp',
    'embed_signature',
    'embed_datasource_filter',
    'embed_custom_attribute',
    'embed_group_access',
    'embed_auth_provider',
    'embed_user_id',
    'embed_user_import',
    'embed_anonymous_token',
    'embed_authorize_group'
  ]
  for (const key of keys) {
    const inside = `/a%26${key}%3Dadmin@x`
    for (
      const query of [`${embedQuery()}&${key}=admin@x`, `${key}=admin@x&${embedQuery()}`,
        embedQuery({ embed_dashboard_path: inside })]
    ) {
      const reply = await post(query)
      t.equal(reply.statusCode, 400, query)
      t.equal(reply.json().error.code, 'INVALID_REQUEST')
    }
  }
  t.equal(bi.connections(), 0)
})

t.test('another parameter inside a value is 400 in any depth of encoding, and is not signed', async (t) => {
  const { bi, post } = await embedApp(t, { pinboard: true })
  const values = [
    'x%26embed_mode%3Ddesign%26embed_dashboard_id%3Dother',
    'x%26embed_expirationtime%3D999999999',
    'x%26embed_user%255Femail%3Dadmin%40corp',
    'x%26embed%255Fsignature%3DAAAA',
    'x%2526embed_mode%253Ddesign',
    'x%252526embed_mode%25253Ddesign',
    'x%23y',
    'x%2523y',
    'R%26D',
    'x%25zz%2526embed_mode%253Ddesign',
    'x%25u0026embed_mode%253Ddesign'
  ]
  for (const value of values) {
    for (
      const key of ['embed_dashboardview_name', 'embed_dashboard_path', 'embed_widget_name', 'pinboard_name',
        'pinWidgetName']
    ) {
      const reply = await post(embedQuery({ [key]: value }))
      t.equal(reply.statusCode, 400, `${key}=${value}`)
      t.equal(reply.json().error.code, 'INVALID_REQUEST')
    }
  }
  t.equal(bi.connections(), 0)
})

t.test('a mode that is not in "modes" is 403 before authorize is called', async (t) => {
  let asked = 0
  const authorize: EmbedAuthorizeOptions['authorize'] = () => {
    asked++
    return { email: 'viewer@example.com' }
  }
  const { bi, post } = await embedApp(t, { authorize })
  for (const mode of ['design', 'View', 'VIEW', 'view%20', 'view,design', 'datasource', '1']) {
    const reply = await post(embedQuery({ embed_mode: mode }))
    t.equal(reply.statusCode, 403, mode)
    t.equal(reply.json().error.code, 'FORBIDDEN')
  }
  t.equal(asked, 0)
  t.equal(bi.connections(), 0)
  for (const embed_mode of ['view', '%76iew', '', undefined]) {
    t.equal((await post(embedQuery({ embed_mode }))).statusCode, 200, String(embed_mode))
    t.equal(readCall(bi.calls.at(-1)).fields.get('embed_mode'), 'view', 'the query contains the checked mode')
  }
  const designer = await embedApp(t, { modes: ['design'] })
  t.equal((await designer.post(embedQuery({ embed_mode: undefined }))).statusCode, 403, 'the default mode is view')
})

t.test('a dashboard that authorize refuses is 403 in every parameter of the query', async (t) => {
  const granted = new Set(['mine', '/mine'])
  const { bi, post } = await embedApp(t, {
    authorize (_request, { dashboards }) {
      if (!dashboards.every((dashboard) => granted.has(dashboard))) throw new FORBIDDEN()
      return { email: 'viewer@example.com' }
    }
  })
  const mine = {
    embed_dashboard_id: 'mine',
    embed_dashboard_path: '/mine',
    embed_dashboard_ids: 'mine',
    embed_dashboard_paths: '/mine'
  }
  t.equal((await post(embedQuery(mine))).statusCode, 200)
  for (
    const foreign of [
      { embed_dashboard_id: 'yours' },
      { embed_dashboard_id: 'Mine' },
      { embed_dashboard_ids: 'mine,yours' },
      { embed_dashboard_ids: 'mine%2Cyours' },
      { embed_dashboard_ids: '(mine)' },
      { embed_dashboard_path: '/yours' },
      { embed_dashboard_paths: '/mine,/yours' }
    ]
  ) {
    const reply = await post(embedQuery({ ...mine, ...foreign }))
    t.equal(reply.statusCode, 403, JSON.stringify(foreign))
    t.equal(reply.json().error.code, 'FORBIDDEN')
  }
  t.equal(bi.calls.length, 1)
})

t.test('a value from authorize that could escape from its place in the query is 403, and Bold BI is not ' +
  'called', async (t) => {
  let identity: unknown
  const { bi, post } = await embedApp(t, { authorize: () => identity as EmbedIdentity })
  const email = 'a@b.c'
  const wrong: unknown[] = ['&', '#', ']', '}', '\r', '\n', '\0', '\x7f', '\x85', '\ud800'].flatMap((bad) => [
    { email: `a${bad}@b.c` },
    { username: `a${bad}` },
    // Bold BI documents an escape for "&" in a filter value, and for no other of these.
    { email, datasourceFilter: { fields: { Region: `EU${bad === '&' ? '%26' : bad}` } } },
    { email, datasourceFilter: { parameters: { [`Region${bad}`]: 'EU' } } },
    { email, customAttributes: { Region: `EU${bad}` } },
    { email, groupAccess: { authProvider: `x${bad}`, userId: 'y' } },
    { email, groupAccess: { authProvider: 'x', userId: `y${bad}` } },
    { email, anonymous: { group: `g${bad}` } }
  ])
  for (
    identity of [...wrong, {}, { email: '' }, { email: 5 }, { email, username: 'a' }, {
      email,
      datasourceFilter: '[{&Region=EU}]'
    }, true, 'ann']
  ) {
    const reply = await post(embedQuery())
    t.equal(reply.statusCode, 403, JSON.stringify(identity))
    t.equal(reply.json().error.code, 'FORBIDDEN')
    t.notMatch(reply.payload, /Region|username|a@b/)
  }
  t.equal(bi.connections(), 0)
})

t.test('filters, attributes, groups and anonymous access from authorize are signed with the user', async (t) => {
  const { bi, post } = await embedApp(t, {
    authorize: () => ({
      username: 'ann lee',
      datasourceFilter: { parameters: { Year: '2026' }, fields: { Land: ['Österreich', 'Oman'] } },
      customAttributes: { db: 'eu-1' },
      groupAccess: { authProvider: 'azure', userId: 'u1' },
      anonymous: { group: 'guests' }
    })
  })
  t.equal((await post(embedQuery())).statusCode, 200)
  const { fields, signature, expected, text } = readCall(bi.calls[0])
  t.equal(signature, expected)
  t.equal(fields.get('embed_user_email'), 'ann%20lee')
  t.equal(fields.get('embed_group_access'), 'true')
  t.equal(fields.get('embed_authorize_group'), 'guests')
  t.match(text, 'embed_datasource_filter=[{&&Year=2026&Land=IN(%C3%96sterreich,Oman)}]')
  t.match(text, 'embed_custom_attribute=[{%22db%22:%22eu-1%22}]')
})

t.test('invalid options stop the start with the name of the option', async (t) => {
  const good = {
    servers: [{ apiUrl: 'https://bi.test/bi/api/site/site1', embedSecret: SECRET }],
    authorize: () => null
  }
  const server = (apiUrl: unknown, embedSecret: unknown = SECRET) => ({ servers: [{ apiUrl, embedSecret }] })
  const cases: Array<[object, RegExp]> = [
    [{ servers: [] }, /"servers"/],
    [{ servers: undefined }, /"servers"/],
    [{ servers: [...good.servers, { apiUrl: 'https://BI.test:443/bi/x/../api/site/site1/', embedSecret: 'y' }] },
      /"servers\[1\]\.apiUrl" repeats an earlier server/],
    ...['https://u:p@bi.test', 'https://u@bi.test', 'https://bi.test/?x', 'https://bi.test/#x', 'ftp://bi.test',
      'bi.test', '', undefined, 'https://bi.test\\x', 'javascript:1']
      .map((apiUrl): [object, RegExp] => [server(apiUrl), /"servers\[0\]\.apiUrl"/]),
    [server('https://bi.test', ''), /"servers\[0\]\.embedSecret"/],
    [server('https://bi.test', null), /"servers\[0\]\.embedSecret"/],
    [{ authorize: undefined }, /"authorize"/],
    [{ path: 'authorize' }, /"path"/],
    [{ modes: [] }, /"modes"/],
    [{ maxExpiration: 604_801_000 }, /"maxExpiration"/],
    [{ maxExpiration: 86_400 }, /"maxExpiration" must be milliseconds, 60000 to 604800000 in steps of 1000; got 86400/],
    [{ maxExpiration: 0 }, /"maxExpiration"/],
    [{ transport: 'put' }, /"transport"/],
    [{ transport: 'object', servers: [{ apiUrl: 'https://bi.test/site1', embedSecret: SECRET }] },
      /"transport": 'object' needs an "apiUrl" with \/api/],
    [{ secretMaxAge: -1 }, /"secretMaxAge"/],
    [server('https://bi.test', () => ''), /"servers\[0\]\.embedSecret"/],
    [server('https://bi.test', async () => {
      throw new Error(SECRET)
    }), /"servers\[0\]\.embedSecret": (?!.*8apLL)/],
    [{ maxUrlLength: -1 }, /"maxUrlLength"/],
    [{ pinboard: 'yes' }, /"pinboard"/],
    [{ errors: 'both' }, /"errors"/],
    [{ timeout: 0 }, /"timeout"/],
    [{ guards: { nobody: true } }, /nobody/]
  ]
  for (const [options, message] of cases) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(
      async () => {
        await app.register(embedAuthorize, { ...good, ...options } as EmbedAuthorizeOptions)
        await app.ready()
      },
      { code: 'INVALID_OPTIONS', message },
      JSON.stringify(options)
    )
  }
})
