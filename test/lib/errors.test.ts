import t from 'tap'

import { FORBIDDEN, UNAVAILABLE } from '../../lib/errors.js'

t.test('an error class refuses an unknown option and suggests the current or the nearest name', async (t) => {
  const cases: Array<[options: unknown, message: string]> = [
    [{ retryAfter: 5 }, 'UNAVAILABLE: unknown option "retryAfter"; it is now "retryAfterSeconds"'],
    [{ mesage: 'Later' }, 'UNAVAILABLE: unknown option "mesage"; did you mean "message"?'],
    [{ reason: 'r', status: 500 }, 'UNAVAILABLE: unknown option "status"; ' +
      'the options are message, details, retryAfterSeconds, reason, upstream, cause']
  ]
  for (const [options, message] of cases) t.throws(() => new UNAVAILABLE(options as never), { name: 'TypeError', message })
})

t.test('an error class refuses an Error, a string and null as options', async (t) => {
  const failed = new Error('password of the database')
  for (const options of [failed, 'Not yours', null, 403]) {
    t.throws(() => new FORBIDDEN(options as never), {
      name: 'TypeError',
      message: 'FORBIDDEN: the argument must be an object of options, such as { message } or { cause: error }'
    }, String(options))
  }
  t.match(new FORBIDDEN({ cause: failed }), { message: 'This is not allowed', cause: failed })
})

t.test('an error class accepts every documented option', async (t) => {
  const options = {
    message: 'Later',
    details: [{ path: '/x', message: 'is wrong' }],
    retryAfterSeconds: 5,
    reason: 'for the log',
    upstream: { upstreamStatus: 502, upstreamCode: null, upstreamMessage: null },
    cause: new Error('x')
  }
  t.match(new UNAVAILABLE(options), { ...options, code: 'UNAVAILABLE', statusCode: 503 })
  t.match(new UNAVAILABLE(), { retryAfterSeconds: 1 })
})

t.test('a refusal has no stack, and a failure of the server has one', async (t) => {
  t.equal(new FORBIDDEN().stack, undefined)
  t.match(new UNAVAILABLE().stack, /errors\.test\.ts/)
})
