import Fastify from 'fastify'
import t from 'tap'

import tokenStore from '../../../plugins/token-store/index.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import embedAuthorize from '../../../routes/embed-authorize/index.js'
import { GRANTED, SECRET, embedQuery, injectJson } from '../../helpers/embed.js'
import { emptyDatabase } from '../../helpers/pglite.js'
import { reply, stubUpstream } from '../../helpers/stub-upstream.js'

const numbered = (count: number) => Array.from({ length: count }, (_none, at) => `D${at}`).join(',')

t.test('a request with 500 dashboards makes one statement for all revocations and one statement for its ' +
  'nonce', async (t) => {
  const bi = await stubUpstream(t, reply(GRANTED))
  const database = await emptyDatabase()
  let statements: string[] = []
  const db = database.db.withPlugin({
    transformQuery: ({ node }) => {
      const text = JSON.stringify(node)
      // The audit entries of the previous request can be written at this moment.
      if (!text.includes('audit_log')) statements.push(text.includes('insert into claims') ? 'claim' : node.kind)
      return node
    },
    transformResult: async ({ result }) => result
  })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, {
    store: sqlStore({ ...database, db }, { secretsKeys: ['a key that seals what this test file stores'] }),
    sweepEvery: 0
  })
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: bi.origin, embedSecret: SECRET }],
    authorize: () => ({ email: 'viewer@example.com', tenant: 'acme' }),
    errors: 'http',
    maxDashboards: 500
  })
  /** The statements before the call to Bold BI. */
  const statementsFor = async (ids: string): Promise<string[]> => {
    let before: string[] = []
    bi.answer = async (call, response) => {
      before = [...statements]
      await reply(GRANTED)(call, response)
    }
    statements = []
    const query = embedQuery({ embed_dashboard_id: '', embed_dashboard_ids: ids })
    t.equal((await injectJson(app, { embedQuerString: query, dashboardServerApiUrl: bi.origin })).statusCode, 200)
    return before
  }
  t.same(await statementsFor(numbered(500)), ['SelectQueryNode', 'claim'])
  t.same(await statementsFor(numbered(500)), ['claim'], 'all revocations are cached')
  t.same(await statementsFor(`${numbered(499)},D500`), ['SelectQueryNode', 'claim'], 'D500 is not cached')
})

t.test('a query has at most 50 dashboards by default, and "maxDashboards" is from 1 to 500', async (t) => {
  const { origin } = await stubUpstream(t, reply(GRANTED))
  const made = async (options: { maxDashboards?: number }) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(embedAuthorize, {
      servers: [{ apiUrl: origin, embedSecret: SECRET }],
      authorize: () => ({ email: 'viewer@example.com' }),
      ...options
    })
    return async (count: number) =>
      (await injectJson(app, {
        embedQuerString: embedQuery({ embed_dashboard_id: '', embed_dashboard_ids: numbered(count) }),
        dashboardServerApiUrl: origin
      })).statusCode
  }
  const usual = await made({})
  t.same([await usual(50), await usual(51)], [200, 400])
  const one = await made({ maxDashboards: 1 })
  t.same([await one(1), await one(2)], [200, 400])
  for (const maxDashboards of [0, 501, 1.5, Number.NaN, '50' as unknown as number]) {
    await t.rejects(made({ maxDashboards }), {
      code: 'INVALID_OPTIONS',
      message: /"maxDashboards" must be a whole number, 1 to 500/
    }, String(maxDashboards))
  }
})
