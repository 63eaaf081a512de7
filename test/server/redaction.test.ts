import t from 'tap'
import fastify from 'fastify'

import { loggerOptions } from '../../server/logging.js'
import { logReader } from '../helpers/log-reader.js'

function logged (line: object, bindings: object = {}) {
  const log = logReader()
  fastify({ logger: loggerOptions('info', log.stream) }).log.child(bindings).info(line, 'done')
  return log.lines()[0]
}

t.test('a secret property is redacted in the line and in each of its known parts', async (t) => {
  for (const place of ['headers', 'body', 'query', 'params', 'changes', 'config', 'options']) {
    const line = { token: 'SECRET', [place]: { secret: 'SECRET', 'set-cookie': ['SECRET'], name: 'y' } }
    t.match(logged(line), {
      token: '[redacted]',
      [place]: { secret: '[redacted]', 'set-cookie': '[redacted]', name: 'y' }
    }, place)
  }
})

t.test('a secret detail of an audit entry is redacted in the log and not in the entry itself', async (t) => {
  const audit = { action: 'a', changes: { password: 'SECRET', 'set-cookie': 'SECRET', role: 'admin' } }
  t.match(logged({ audit }), {
    audit: { action: 'a', changes: { password: '[redacted]', 'set-cookie': '[redacted]', role: 'admin' } }
  })
  t.equal(audit.changes.password, 'SECRET')
})

t.test('an audit entry without details, and a value that is not an entry, are logged unchanged', async (t) => {
  t.same(logged({ audit: { action: 'a', changes: null } })?.['audit'], { action: 'a', changes: null })
  t.same(logged({ audit: 'text' })?.['audit'], 'text')
})

t.test('secrets in the bindings of a child logger and in an error are not logged', async (t) => {
  const line = logged({ err: { token: 'SECRET' } }, { token: 'SECRET', headers: { cookie: 'SECRET' } })
  t.match(line, { token: '[redacted]', headers: { cookie: '[redacted]' } })
  t.notMatch(JSON.stringify(line), 'SECRET')
})
