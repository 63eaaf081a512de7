import Fastify from 'fastify'
import t from 'tap'

import embedAuthorize from '../../../routes/embed-authorize/index.js'
import type { EmbedDetails, EmbedTransport } from '../../../routes/embed-authorize/index.js'
import { sdkBody, sdkQueries } from '../../helpers/boldbi-sdk.js'
import { boldbiServer } from '../../helpers/boldbi-server.js'
import { DASHBOARD, GRANTED, SECRET, injectJson, readCall } from '../../helpers/embed.js'

const { render, changeLayout, move, unpin, pin } = sdkQueries
const HOME = '6f1c8a2e-1111-4222-8333-944455556666'

/** Queries of the SDK, and the details that authorize must receive. */
const CALLS: Array<[string, () => string, Partial<EmbedDetails>]> = [
  ['a dashboard by its id', () => render({ dashboardId: DASHBOARD }), {
    dashboards: [DASHBOARD],
    dashboardId: DASHBOARD,
    mode: 'view'
  }],
  ['a dashboard by its path', () => render({ dashboardPath: '/Sales Co/Über "sicht"' }), {
    dashboards: ['/Sales Co/Über "sicht"']
  }],
  ['several by their ids', () => render({ dashboardIds: ['a', 'b'], isMultiTab: true }), { dashboards: ['a', 'b'] }],
  ['several by their paths', () => render({ dashboardPaths: ['/a/b', '/c d'] }), { dashboards: ['/a/b', '/c d'] }],
  ['a view', () => render({ dashboardId: DASHBOARD, viewName: 'Q1 +20%' }), { view: { id: null, name: 'Q1 +20%' } }],
  ['a widget', () => render({ dashboardId: DASHBOARD, widgetName: 'Tickets^{1}' }), { widgets: ['Tickets^{1}'] }],
  ['several widgets', () => render({ dashboardId: DASHBOARD, widgetList: ['Sales', 'Costs'] }), {
    widgets: ['sales', 'costs']
  }],
  ['a data source', () => render({ datasourceId: 'd1', mode: 'datasource' }), {
    dashboards: [],
    datasource: { id: 'd1', name: null },
    mode: 'datasource'
  }],
  ['a pinboard', () => render({ pinboardName: 'mine' }), { dashboards: [], pinboard: 'mine' }],
  ['a design', () => render({ dashboardId: DASHBOARD, mode: 'design', expirationTime: 100_000 }), { mode: 'design' }],
  ['another layout', () => changeLayout(HOME, 3), {
    dashboards: [],
    pinboardAction: { homepageId: HOME, layout: '3' }
  }],
  ['to move a widget', () => move(HOME, { Column: 1, Position: 2 }, { Column: 2, Position: 1 }), {
    pinboardAction: { homepageId: HOME, moveFrom: '{"Column":1,"Position":2}', moveTo: '{"Column":2,"Position":1}' }
  }],
  ['to unpin a widget', () => unpin(HOME, { Column: 1, Position: 2 }), {
    pinboardAction: { homepageId: HOME, unpinPosition: '{"Column":1,"Position":2}', isUnpin: 'true' }
  }],
  ['to pin a widget',
    () => pin(HOME, { dashboardId: DASHBOARD, widgetId: 'w1', widgetName: 'A (1) = $5^2', pinboardName: 'mine' }), {
      dashboards: [DASHBOARD],
      pinboard: 'mine',
      pinboardAction: {
        homepageId: HOME,
        isPinUpdate: 'true',
        pinWidgetId: 'w1',
        pinDashbooardId: DASHBOARD,
        pinWidgetName: 'A (1) = $5^2'
      }
    }]
]

for (const transport of ['get', 'post'] as const satisfies EmbedTransport[]) {
  t.test(`by ${transport} authorize receives every query of the SDK, and Bold BI accepts the signed ` +
    'bytes', async (t) => {
    const bi = await boldbiServer(t)
    let seen: EmbedDetails | null = null
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(embedAuthorize, {
      servers: [{ apiUrl: bi.apiUrl, embedSecret: SECRET }],
      modes: ['view', 'design', 'datasource'],
      pinboard: true,
      transport,
      authorize (_request, details) {
        seen = details
        return {
          email: "o'neil+1@example.com",
          datasourceFilter: { parameters: { Jahr: '2026' }, fields: { Land: ['Österreich', 'Oman'] } }
        }
      }
    })
    for (const [what, query, expected] of CALLS) {
      const body = sdkBody(query(), bi.apiUrl)
      const answer = await injectJson(app, body)
      t.equal(answer.payload, JSON.stringify(GRANTED), what)
      t.match(seen, expected, what)
      const { signed, fields } = readCall(bi.calls.at(-1))
      const unclamped = body.embedQuerString.replace('embed_expirationtime=100000', 'embed_expirationtime=86400')
      t.ok(
        signed.startsWith(`${unclamped.replaceAll('+', '%2B')}&embed_user_email=`),
        'the bytes of the SDK, except the limited expiration'
      )
      t.equal(decodeURIComponent(fields.get('embed_user_email') ?? ''), "o'neil+1@example.com")
    }
  })
}

t.test('authorize receives the dashboard of a widget that is pinned', async (t) => {
  const bi = await boldbiServer(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: bi.apiUrl, embedSecret: SECRET }],
    pinboard: true,
    authorize: (_request, { dashboards }) => dashboards.every((id) => id === 'mine') ? { email: 'a@b.c' } : null
  })
  const pinned = (dashboardId: string) =>
    injectJson(app, sdkBody(pin(HOME, { dashboardId, widgetId: 'w', widgetName: 'W', pinboardName: 'p' }), bi.apiUrl))
  t.equal((await pinned('yours')).statusCode, 401)
  t.equal((await pinned('mine')).statusCode, 200)
  t.equal(bi.calls.length, 1)
})

t.test('a query with the anonymous parameters of the SDK is 400, because only authorize grants anonymous ' +
  'access', async (t) => {
  const bi = await boldbiServer(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: bi.apiUrl, embedSecret: SECRET }],
    authorize: () => ({ email: 'guest@example.com', anonymous: { group: 'Guests' } })
  })
  const query = render({ dashboardId: DASHBOARD })
  const own = await injectJson(
    app,
    sdkBody(`${query}&embed_user_email=admin@x&embed_anonymous_token=true&embed_authorize_group=Admins`, bi.apiUrl)
  )
  t.equal(own.statusCode, 400)
  t.equal(bi.connections(), 0)
  t.equal((await injectJson(app, sdkBody(query, bi.apiUrl))).payload, JSON.stringify(GRANTED))
  const { fields } = readCall(bi.calls[0])
  t.equal(
    `${fields.get('embed_user_email')} ${fields.get('embed_anonymous_token')} ${fields.get('embed_authorize_group')}`,
    'guest@example.com true Guests'
  )
})
