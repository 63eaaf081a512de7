import t from 'tap'

import { auditEntries } from '../../helpers/audit-entries.js'
import { SECRET, embedApp, embedQuery } from '../../helpers/embed.js'
import { logReader } from '../../helpers/log-reader.js'
import type { LogReader } from '../../helpers/log-reader.js'
import { cut, reply } from '../../helpers/stub-upstream.js'

const WARN = 40
const LOG_MESSAGE = 'upstream refused the request'

function warnings (log: LogReader): Array<Record<string, unknown>> {
  // The token store warns at start-up that it keeps everything in memory.
  return log.lines().filter(({ level, reqId }) => level === WARN && reqId !== undefined)
}

for (const errors of ['sdk', 'http'] as const) {
  for (
    const [name, answer, expected, status] of [
      ['a 200 that refuses', reply({ ApiStatus: false, Status: false, Message: '<b>Unknown</b>\nuser' }), [200, null,
        '<b>Unknown</b> user'], 200],
      ['a 200 with a code', reply({ ApiStatus: false, StatusCode: 401, Message: 'x' }), [200, '401', 'x'], 200],
      ['a 401 with a JSON body', reply({ ApiStatus: false, Status: false, Message: `bad key ${SECRET}` }, 401), [401,
        null, 'bad key ***'], 502],
      ['a 403 with a code', reply({ Code: 'EMBED_DISABLED', message: 'Embedding is off' }, 403), [403, 'EMBED_DISABLED',
        'Embedding is off'], 502],
      ['a 500 with a page', reply('<h1>down</h1>', 500), [500, null, null], 502],
      ['a redirect', reply('', 302, { location: 'https://example.com/' }), [302, null, null], 502]
    ] as const
  ) {
    t.test(`errors "${errors}": ${name} is one warning with status, code and cleaned message, and the code is ` +
      'audited', async (t) => {
      const log = logReader()
      const { app, bi, post } = await embedApp(t, { errors, retries: 0 }, {
        logger: { level: 'info', stream: log.stream }
      })
      bi.answer = answer
      const [upstreamStatus, upstreamCode, upstreamMessage] = expected
      const response = await post(embedQuery())
      t.equal(response.statusCode, errors === 'http' ? status : 200)
      t.match(warnings(log), [{ msg: LOG_MESSAGE, upstreamStatus, upstreamCode, upstreamMessage }])
      t.equal(warnings(log).length, 1)
      t.notMatch(log.text(), SECRET)
      if (status === 502) {
        t.notMatch(response.body, /bad key|EMBED_DISABLED|Embedding|down/, 'the response does not contain the message')
      }
      const [entry] = await auditEntries(app, 1)
      t.match(entry, { action: 'embed.refused', changes: { upstreamStatus, upstreamCode } })
      t.notMatch(JSON.stringify(entry), /bad key|Embedding is off/)
    })
  }
}

t.test('a signed query or signature that Bold BI repeats is masked in the log', async (t) => {
  for (const spelling of [(text: string) => text, encodeURIComponent]) {
    const log = logReader()
    const { app, bi, post } = await embedApp(t, { retries: 0 }, { logger: { level: 'info', stream: log.stream } })
    let signature = ''
    bi.answer = (call, response) => {
      const [, query = ''] = String(call.url).split('?')
      signature = query.slice(query.lastIndexOf('=', query.length - 3) + 1)
      const Message = `no: ${spelling(query)} nor ${spelling(signature)}`
      return reply({ ApiStatus: false, Status: false, Message }, 401)(call, response)
    }
    await post(embedQuery())
    t.match(signature, /^[A-Za-z0-9+/]{43}=$/)
    t.match(warnings(log), [{ upstreamMessage: 'no: *** nor ***' }])
    t.notMatch(log.text(), signature.slice(0, 20))
    await app.close()
  }
})

t.test('a granted embed and a network failure log no refusal of the upstream', async (t) => {
  const log = logReader()
  const { bi, post } = await embedApp(t, { retries: 0 }, { logger: { level: 'info', stream: log.stream } })
  t.equal((await post(embedQuery())).statusCode, 200)
  bi.answer = cut
  t.equal((await post(embedQuery())).statusCode, 502)
  t.same(warnings(log), [])
})
