import t from 'tap'
import type { Test } from 'tap'

import { startBoldBi } from '../../../server/mock-products/boldbi.js'
import type { EmbedTransport } from '../../../routes/embed-authorize/index.js'
import { embedFilter } from '../../../signing/boldbi/filter.js'
import type { EmbedFilters } from '../../../signing/boldbi/filter.js'
import { auditEntries } from '../../helpers/audit-entries.js'
import { SECRET, embedApp, embedQuery } from '../../helpers/embed.js'
import { logReader } from '../../helpers/log-reader.js'

const UNESCAPE: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'"
}

/** The conditions that the dashboard of the mock product shows for filters on fields; `null` without data. */
async function shown (t: Test, fields: EmbedFilters, transport: EmbedTransport = 'get'): Promise<string[] | null> {
  const boldBi = await startBoldBi({ embedders: [], embedSecret: SECRET })
  t.teardown(() => boldBi.close())
  const { post } = await embedApp(t, {
    servers: [{ apiUrl: boldBi.apiUrl, embedSecret: SECRET }],
    transport,
    authorize: () => ({ email: 'ann@example.com', datasourceFilter: { fields } })
  })
  const response = await post(embedQuery(), { dashboardServerApiUrl: boldBi.apiUrl })
  t.equal(response.statusCode, 200)
  const { Data } = response.json<{ Data: { DashboardUrl: string } }>()
  const html = await (await fetch(boldBi.origin + Data.DashboardUrl)).text()
  if (html.includes('There is no data to be displayed')) return null
  return [...html.matchAll(/<p class="filter">(.*?)<\/p>/g)].map(([, text = '']) =>
    text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => UNESCAPE[entity] ?? entity)
  )
}

for (const transport of ['get', 'post'] as const) {
  t.test(`by ${transport} the product filters by the company names that authorize returns`, async (t) => {
    t.same(
      await shown(t, {
        Company: 'Johnson & Johnson',
        Partner: ['Syncfusion, Inc', 'AT&T', 'Acme (EU)', 'this|that', 'a < b, c > d & e'],
        Region: 'Americas (North)',
        Rival: embedFilter.isNotIn(['Smith, Barney & Co']),
        Owner: embedFilter.startsWith('& Other')
      }, transport),
      [
        'Company = "Johnson & Johnson"',
        'Partner IN "Syncfusion, Inc" "AT&T" "Acme (EU)" "this|that" "a < b, c > d & e"',
        'Region = "Americas (North)"',
        'Rival NOTIN "Smith, Barney & Co"',
        'Owner STARTSWITH "& Other"'
      ]
    )
  })
}

t.test('a filter value cannot add a condition', async (t) => {
  for (const value of ['EU&Region>5', 'EU||Region<5', 'EU,US', 'IN(EU,US)', 'EU)&(Region', '&&Region']) {
    t.same(await shown(t, { Region: value }), [`Region = ${JSON.stringify(value)}`], value)
    t.same(await shown(t, { Region: [value, 'x'] }), [`Region IN ${JSON.stringify(value)} "x"`], value)
  }
})

t.test('a value with a character without a documented escape is 403, and the log contains the field and the ' +
  'reason', async (t) => {
  for (const character of '#[]{}~=') {
    const log = logReader()
    const { app, bi, post } = await embedApp(t, {
      authorize: () => ({ email: 'ann@example.com', datasourceFilter: { fields: { Company: `Hunter${character}2` } } })
    }, { logger: { level: 'info', stream: log.stream } })
    const response = await post(embedQuery())
    t.equal(response.statusCode, 403)
    t.equal(response.json().error.code, 'FORBIDDEN')
    t.equal(bi.calls.length, 0)
    const [line] = log.lines().filter(({ msg }) => msg === 'request refused')
    t.match(line, {
      reason: `datasourceFilter.fields["Company"]: must not contain "${character}": Bold BI documents no escape for it`
    })
    t.notMatch(log.text(), 'Hunter')
    t.match(await auditEntries(app, 1), [{ action: 'embed.refused' }])
  }
})
