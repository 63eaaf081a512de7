import t from 'tap'

import type { RevocationKind } from '../../../contracts/token-store/index.js'
import { DASHBOARD, embedApp, embedQuery } from '../../helpers/embed.js'
import { stringWork } from '../../helpers/string-work.js'

const numbered = (count: number) => Array.from({ length: count }, (_none, at) => `D${at}`)

t.test('a query with more than "maxDashboards" dashboards is 400 before authorize is called, and repeats count ' +
  'once', async (t) => {
  let asked: readonly string[] = []
  const { bi, post } = await embedApp(t, {
    pinboard: true,
    maxDashboards: 500,
    authorize: (_request, { dashboards }) => {
      asked = dashboards
      return { email: 'viewer@example.com' }
    }
  })
  const some = numbered(250)
  const tooMany: Array<Record<string, string>> = [
    { embed_dashboard_id: '', embed_dashboard_ids: numbered(501).join(',') },
    { embed_dashboard_ids: numbered(500).join(',') },
    { embed_dashboard_id: '', embed_dashboard_paths: numbered(501).join(',') },
    {
      embed_dashboard_id: '',
      embed_dashboard_path: '/one',
      embed_dashboard_ids: some.join(','),
      embed_dashboard_paths: some.map((name) => `/${name}`).join(',')
    },
    { embed_dashboard_id: '', embed_dashboard_ids: numbered(4_000).join(',') }
  ]
  for (const members of tooMany) {
    const reply = await post(embedQuery(members))
    t.equal(reply.statusCode, 400)
    t.match(reply.json().error, {
      code: 'INVALID_REQUEST',
      message: 'The embed query contains more than 500 dashboards'
    })
  }
  t.same(asked, [])
  t.equal(bi.connections(), 0)
  t.equal(
    (await post(embedQuery({ embed_dashboard_id: '', embed_dashboard_ids: numbered(500).join(',') }))).statusCode,
    200
  )
  t.equal(asked.length, 500)
  t.equal(
    (await post(
      embedQuery({
        embed_dashboard_id: 'a',
        pinDashbooardId: 'a',
        embed_dashboard_ids: 'a,'.repeat(20_000),
        embed_dashboard_paths: '/a,/a'
      })
    )).statusCode,
    200
  )
  t.same(asked, ['a', '/a'])
})

t.test('a dashboard id with characters other than letters, digits, "-", "_" and one pair of brackets is 400 in every ' +
  'parameter', async (t) => {
  const { bi, post } = await embedApp(t, { pinboard: true })
  const wrong = [
    '{0xc5bab292,0x0ee6,0x4ee7,{0x9d,0xfa,0xd6,0xb3,0xcf,0xfe,0xd7,0xff}}',
    DASHBOARD.replaceAll('-', '\u200b-'),
    `\ufeff${DASHBOARD}`,
    `${DASHBOARD}\u00ad`,
    ` ${DASHBOARD}`,
    `${DASHBOARD} `,
    `{${DASHBOARD}`,
    `${DASHBOARD})`,
    `{${DASHBOARD})`,
    `{{${DASHBOARD}}}`,
    '{}',
    `${DASHBOARD};x`,
    `${DASHBOARD}/`,
    'ｄ',
    'é',
    `${DASHBOARD}%66`,
    '..',
    'a.b'
  ]
  for (const id of wrong.filter((text) => !text.includes(','))) {
    const members = [{ embed_dashboard_id: encodeURIComponent(id) }, {
      embed_dashboard_ids: `a,${encodeURIComponent(id)}`
    }, { pinDashbooardId: encodeURIComponent(id) }]
    for (const some of members) {
      const reply = await post(embedQuery(some))
      t.equal(reply.statusCode, 400, JSON.stringify(some))
      t.equal(reply.json().error.code, 'INVALID_REQUEST')
    }
  }
  for (const id of wrong) {
    t.equal((await post(embedQuery({ embed_dashboard_id: encodeURIComponent(id) }))).statusCode, 400, id)
  }
  t.equal(bi.connections(), 0)
  for (const id of ['a_B-1', `{${DASHBOARD}}`, `(${DASHBOARD})`]) {
    t.equal((await post(embedQuery({ embed_dashboard_id: encodeURIComponent(id) }))).statusCode, 200, id)
  }
})

t.test('a path with an invisible character is 400', async (t) => {
  const { bi, post } = await embedApp(t)
  for (
    const character of ['\u200b', '\u200d', '\ufeff', '\u00ad', '\u202e', '\u2060', '\u{e0041}', '\u034f', '\u3164',
      '\ufe0f', '\u0001', '\u007f', '\u0085']
  ) {
    const path = encodeURIComponent(`/Sales${character}/Overview`)
    for (const members of [{ embed_dashboard_path: path }, { embed_dashboard_paths: `/a,${path}` }]) {
      const reply = await post(embedQuery(members))
      t.equal(reply.statusCode, 400, path)
      t.equal(reply.json().error.code, 'INVALID_REQUEST')
    }
  }
  t.equal(bi.connections(), 0)
  t.equal(
    (await post(embedQuery({ embed_dashboard_path: encodeURIComponent('/Sales Co/Über "sicht" 100% 日本語') })))
      .statusCode,
    200
  )
})

t.test('50 KB of slashes or spaces in a path are read a limited number of times and do not hide the ' +
  'dashboard', async (t) => {
  const { app, post } = await embedApp(t)
  const cutOff = (kind: RevocationKind, subject: string) =>
    app.tokenStore.revocations.revoke({
      orgId: 'default',
      kind,
      subject,
      before: Date.now() + 3_600_000,
      createdBy: null
    })
  await cutOff('dashboard', 'sales/overview')
  for (
    const [space, expected] of [[`${'/'.repeat(50_000)}`, 403], [`/${'%20'.repeat(16_000)}/`, 403], [
      `x${'/'.repeat(50_000)}x`,
      200
    ]] as const
  ) {
    const query = embedQuery({ embed_dashboard_id: '', embed_dashboard_path: `/Sales${space}Overview` })
    const { read } = await stringWork(async () => {
      t.equal((await post(query)).statusCode, expected)
    })
    t.ok(read < 30 * query.length, `${read} characters of ${query.length} are read`)
  }
})
