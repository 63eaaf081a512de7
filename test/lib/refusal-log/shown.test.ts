import t from 'tap'

import { shownDetails, shownName, shownOrigin, shownReason } from '../../../lib/refusal-log/shown.js'
import { logReader } from '../../helpers/log-reader.js'
import { gateway } from '../../helpers/gateway.js'

/** Line breaks, ANSI escapes, C1 controls, bidirectional overrides, zero-width characters, a lone surrogate. */
const NASTY = 'a\r\nb\u001b[31mc\u009bd\u2028e\u202ef\u200bg\ud800h\u0000i\u2066j\u007fk'
const CLEAN = 'a b [31mc d e f g h i j k'

t.test('control, format and bidirectional characters of clients are replaced by spaces', (t) => {
  t.equal(shownReason(NASTY), CLEAN)
  t.equal(shownName(NASTY), CLEAN)
  t.equal(shownOrigin(NASTY), CLEAN)
  t.same(shownDetails([{ path: `/${NASTY}`, message: NASTY }]), [{ path: `/${CLEAN}`, message: CLEAN }])
  t.end()
})

t.test('strings of clients are cut', (t) => {
  const long = '\u{1f600}'.repeat(1_000)
  t.equal(shownReason(long)?.length, 800)
  for (const shown of [shownName(long), shownOrigin(long), shownDetails([{ path: long, message: '' }])?.[0]?.path]) {
    t.ok((shown ?? long).length <= 400)
    t.notMatch(shown, /\p{Cs}/u)
  }
  t.equal(shownDetails(Array(100).fill({ path: '/a', message: 'b' }))?.length, 5)
  t.end()
})

t.test('a name that may be a key is masked, and a usual name is not', (t) => {
  const names: Array<[name: string, shown: string]> = [
    ['dk_live_0123456789abcdef0123', 'dk_l***'],
    ['/context/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOjF9.c2lnbmF0dXJl', '/context/eyJh***'],
    ['x550e8400-e29b-41d4-a716-446655440000 y', 'x550*** y'],
    ['/context/campaign/averylongbutreadablename', '/context/campaign/averylongbutreadablename'],
    ['/properties/items/12/price', '/properties/items/12/price']
  ]
  for (const [name, shown] of names) t.equal(shownName(name), shown)
  t.end()
})

t.test('an origin is shown without a password and without a query', (t) => {
  t.equal(shownOrigin('https://shop.example:8443'), 'https://shop.example:8443')
  t.equal(shownOrigin('moz-extension://550e8400-e29b-41d4-a716-446655440000'),
    'moz-extension://550e8400-e29b-41d4-a716-446655440000')
  t.equal(shownOrigin('https://user:SECRET@shop.example/?key=SECRET#SECRET'), 'https://***@shop.example/?key=***')
  t.end()
})

t.test('a page cannot write lines or escapes to the log', async (t) => {
  const log = logReader()
  const { post } = await gateway(t, { server: { logger: { level: 'info', stream: log.stream } } })
  const before = log.lines().length
  const origin = 'https://evil.test\u0085\u001b[2J{"level":60}'
  t.equal((await post('/v1/t', {}, { origin })).statusCode, 403)
  t.equal((await post('/v1/t', { event: 'x', userId: 'u', timestamp: '\r\n\u202e' })).statusCode, 400)
  const lines = log.lines().slice(before).filter(({ msg }) => msg === 'request refused')
  t.match(lines, [{ reason: 'the origin "https://evil.test [2J{"level":60}" is not allowed' }, { code: 'INVALID_REQUEST' }])
  t.notMatch(lines.flatMap((line) => Object.values(line)).join(''), /\p{C}/u)
})
