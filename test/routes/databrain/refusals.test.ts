import t from 'tap'

import { auditEntries } from '../../helpers/audit-entries.js'
import { proxyApp } from '../../helpers/databrain-proxy.js'
import { API_KEY, guestTokenApp } from '../../helpers/guest-token.js'
import { logReader } from '../../helpers/log-reader.js'
import type { LogReader } from '../../helpers/log-reader.js'
import { reply } from '../../helpers/stub-upstream.js'
import type { Answer } from '../../helpers/stub-upstream.js'

const WARN = 40
const LOG_MESSAGE = 'upstream refused the request'
const EXPIRED = { code: 'AUTHENTICATION_ERROR', message: 'The API key\nhas expired: ' }

/** Refuses like DataBrain, with the API key in the message. */
const refuseKey: Answer = (call, response) =>
  reply({ error: { ...EXPIRED, message: EXPIRED.message + String(call.headers.authorization) } }, 401)(call, response)

function warnings (log: LogReader): Array<Record<string, unknown>> {
  // The token store warns at start-up that it keeps everything in memory.
  return log.lines().filter(({ level, reqId }) => level === WARN && reqId !== undefined)
}

t.test('a refusal of DataBrain is one warning with status, code and cleaned message, and the audit entry contains ' +
  'the code', async (t) => {
  const log = logReader()
  const { app, databrain, ask } = await guestTokenApp(t, {}, { logger: { level: 'trace', stream: log.stream } })
  databrain.answer = refuseKey
  const response = await ask('ann')
  t.same(response.json(), {
    error: { code: 'AUTHENTICATION_ERROR', message: "The analytics service does not accept this server's API key" }
  })
  t.equal(response.statusCode, 400)
  const [warning, ...others] = warnings(log)
  t.same(others, [])
  t.match(warning, {
    msg: LOG_MESSAGE,
    reqId: /./,
    upstreamStatus: 401,
    upstreamCode: 'AUTHENTICATION_ERROR',
    upstreamMessage: 'The API key has expired: Bearer ***'
  })
  t.notMatch(log.text(), API_KEY)
  const [entry] = await auditEntries(app, 1)
  t.match(entry, {
    action: 'guest_token.refused',
    userId: 'ann',
    changes: {
      outcome: 'AUTHENTICATION_ERROR',
      upstreamStatus: 401,
      upstreamCode: 'AUTHENTICATION_ERROR',
      clientId: 'ann'
    }
  })
  t.notMatch(JSON.stringify(entry), 'expired')
})

for (
  const [name, answer, fields, status] of [
    ['an unknown code', reply({ error: { code: 'QUOTA_EXCEEDED', message: 'Limit of 100 reached' } }, 402), [
      'QUOTA_EXCEEDED',
      'Limit of 100 reached'
    ], 400],
    ['an internal error', reply({ error: { code: 'INTERNAL_SERVER_ERROR', message: 'db down' } }, 500), [
      'INTERNAL_SERVER_ERROR',
      'db down'
    ], 500],
    ['an error that is a string', reply({ error: 'nope' }, 403), [null, 'nope'], 400],
    ['an error of a gateway in front', reply({ message: 'Forbidden' }, 403), [null, 'Forbidden'], 500],
    ['an error with status 200', reply({ error: { code: 'CLIENT_ID_ERROR', message: 'x' } }), ['CLIENT_ID_ERROR', 'x'],
      400],
    ['a page', reply('<h1>Bad gateway</h1>', 502), [null, null], 500]
  ] as const
) {
  t.test(`${name} is logged and audited, and its message is not in the response`, async (t) => {
    const log = logReader()
    const { app, databrain, ask } = await guestTokenApp(t, { retries: 0 }, {
      logger: { level: 'info', stream: log.stream }
    })
    databrain.answer = answer
    const [upstreamCode, upstreamMessage] = fields
    const response = await ask('ann')
    t.equal(response.statusCode, status)
    t.notMatch(response.body, /QUOTA|100|db down|nope|Forbidden|gateway/)
    t.match(warnings(log), [{ msg: LOG_MESSAGE, upstreamCode, upstreamMessage }])
    t.match((await auditEntries(app, 1))[0], { action: 'guest_token.refused', changes: { upstreamCode } })
  })
}

t.test('with errorStatus "gateway" a failure is a warning with the status of the upstream', async (t) => {
  const log = logReader()
  const { databrain, ask } = await guestTokenApp(t, { retries: 0, errorStatus: 'gateway' }, {
    logger: { level: 'info', stream: log.stream }
  })
  databrain.answer = reply({ error: { code: 'INTERNAL_SERVER_ERROR', message: 'db down' } }, 500)
  t.equal((await ask('ann')).statusCode, 502)
  t.match(warnings(log), [{
    msg: LOG_MESSAGE,
    upstreamStatus: 500,
    upstreamCode: 'INTERNAL_SERVER_ERROR',
    upstreamMessage: 'db down'
  }])
})

t.test('a successful mint and a network failure log no refusal of the upstream', async (t) => {
  const log = logReader()
  const { databrain, ask } = await guestTokenApp(t, { retries: 0 }, { logger: { level: 'info', stream: log.stream } })
  t.equal((await ask('ann')).statusCode, 200)
  databrain.answer = (_call, response) => {
    response.destroy()
  }
  t.equal((await ask('bob')).statusCode, 500)
  t.same(warnings(log), [])
})

t.test('the proxy logs and audits a refused guest token in the same way', async (t) => {
  const log = logReader()
  const { app, api, upstream, call } = await proxyApp(t, {}, { logger: { level: 'trace', stream: log.stream } })
  api.answer = refuseKey
  const response = await call()
  t.equal(response.statusCode, 400)
  t.equal(response.json().error.code, 'AUTHENTICATION_ERROR')
  t.match(warnings(log), [{
    msg: LOG_MESSAGE,
    upstreamStatus: 401,
    upstreamCode: 'AUTHENTICATION_ERROR',
    upstreamMessage: 'The API key has expired: Bearer ***'
  }])
  t.notMatch(log.text(), API_KEY)
  t.match((await auditEntries(app, 1))[0], {
    action: 'databrain_proxy.refused',
    changes: { upstreamCode: 'AUTHENTICATION_ERROR', upstreamStatus: 401 }
  })
  t.equal(upstream.connections(), 0)
})

t.test('a refused call is relayed whole, is one warning per minute, client and status, and is audited for 401 or ' +
  '403', async (t) => {
  const log = logReader()
  const { app, upstream, call } = await proxyApp(t, {}, { logger: { level: 'info', stream: log.stream } })
  const body = { error: { code: 'TOKEN_REVOKED', message: 'The token is\nno longer valid' }, pad: 'x'.repeat(10_000) }
  upstream.answer = (received, response) =>
    reply({ ...body, token: received.headers['x-plugin-token'] }, 403)(received, response)
  for (let count = 0; count < 3; count++) t.match((await call()).json(), body)
  upstream.answer = reply('<h1>no</h1>', 404)
  t.equal((await call()).payload, '<h1>no</h1>')
  upstream.answer = (received, response) =>
    reply({ message: `No: ${String(received.headers['x-plugin-token'])}` }, 500)(received, response)
  t.equal((await call()).statusCode, 500)
  t.match(warnings(log), [
    {
      msg: LOG_MESSAGE,
      upstreamStatus: 403,
      upstreamCode: 'TOKEN_REVOKED',
      upstreamMessage: 'The token is no longer valid'
    },
    { msg: LOG_MESSAGE, upstreamStatus: 404, upstreamCode: null, upstreamMessage: null },
    { msg: LOG_MESSAGE, upstreamStatus: 500, upstreamCode: null, upstreamMessage: 'No: ***' }
  ])
  t.equal(warnings(log).length, 3)
  const entries = await auditEntries(app, 2)
  t.match(
    entries.map(({ action, userId, changes }) => [action, userId, changes?.['upstreamCode'], changes?.['outcome']]),
    [
      ['databrain_proxy.forwarded', 'ann', undefined, 'granted'],
      ['databrain_proxy.refused', 'ann', 'TOKEN_REVOKED', 'FORBIDDEN']
    ]
  )
})
