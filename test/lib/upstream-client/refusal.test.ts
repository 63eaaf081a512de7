import t from 'tap'

import { upstreamOutcome, upstreamRefusal } from '../../../lib/upstream-client/refusal.js'
import { stringWork } from '../../helpers/string-work.js'

const KEY = 'dbn_live_4pi-key+0123456789/abc='

function messageOf (message: unknown, secrets: string[] = [KEY]): string | null {
  return upstreamRefusal(400, { message }, secrets).upstreamMessage
}

t.test('the refusal of an upstream becomes three log fields, and the audit entry keeps the status ' +
  'and the code', async (t) => {
  const refusal = upstreamRefusal(401, { code: 'AUTHENTICATION_ERROR', message: 'The API key has expired' }, [KEY])
  t.same(refusal, {
    upstreamStatus: 401,
    upstreamCode: 'AUTHENTICATION_ERROR',
    upstreamMessage: 'The API key has expired'
  })
  t.same(upstreamOutcome(refusal), { upstreamStatus: 401, upstreamCode: 'AUTHENTICATION_ERROR' })
  t.equal(upstreamOutcome(undefined), undefined)
  t.same(upstreamRefusal(503, {}, []), { upstreamStatus: 503, upstreamCode: null, upstreamMessage: null })
})

t.test('a code is kept only if it looks like a code', async (t) => {
  const kept: Array<[unknown, string | null]> = [
    ['E-1.2:x_y', 'E-1.2:x_y'],
    [4012, '4012'],
    ['a'.repeat(64), 'a'.repeat(64)],
    ['a'.repeat(65), null],
    ['', null],
    ['two words', null],
    ['CODE\n', null],
    ['<b>', null],
    [null, null],
    [{}, null],
    [['A'], null],
    [true, null],
    [undefined, null],
    ['dbn_live_4pi-key', null],
    ['x.DBN_LIVE_4PI', null]
  ]
  for (const [code, expected] of kept) {
    t.equal(upstreamRefusal(400, { code }, [KEY]).upstreamCode, expected, JSON.stringify(code))
  }
})

t.test('a message is one line of at most 200 printable characters', async (t) => {
  t.equal(messageOf('  one\r\ntwo\tthree\u0000four \u001b[31mred\u2028end\u00a0 '), 'one two three four [31mred end')
  t.equal(messageOf('a\u202eb\ud800c\ufeffd\u0085e'), 'a b c d e')
  t.equal(messageOf('é'.repeat(201)), 'é'.repeat(200))
  t.equal(messageOf('😀'.repeat(201)), '😀'.repeat(200), 'no character is cut in two')
  t.equal(messageOf('x'.repeat(5_000_000)), 'x'.repeat(200))
  for (const none of ['', ' \n', '\u0000', 7, null, undefined, {}, ['text']]) {
    t.equal(messageOf(none), null, JSON.stringify(none))
  }
})

t.test('secrets are masked in a message, whole or truncated, in any letter case and at the cut', async (t) => {
  t.equal(messageOf(`Bad key ${KEY}.`), 'Bad key ***')
  t.equal(messageOf(`{"Authorization":"Bearer ${KEY}"}`), '{"Authorization":"Bearer ***')
  t.equal(messageOf(`Bad key ${KEY.toUpperCase()} given`), 'Bad key *** given')
  t.equal(messageOf(`Bad key ${KEY.slice(0, 12)}… given`), 'Bad key *** given')
  t.equal(messageOf(`Bad key …${KEY.slice(-9)} given`), 'Bad key *** given')
  t.equal(messageOf(`Bad key ${encodeURIComponent(KEY)}`), 'Bad key ***')
  t.equal(messageOf(`${'x'.repeat(190)} ${KEY}`), `${'x'.repeat(190)} ***`)
  t.notMatch(messageOf(`${'x '.repeat(95)}${KEY}`), 'dbn_l')
  t.equal(
    messageOf('key .*+ (a) \\ given', ['.*+', '(a)', '\\']),
    'key *** *** *** given',
    'a secret is not a pattern'
  )
  t.equal(messageOf('no pass, no word', ['my pass word']), 'no *** no ***', 'each word of a secret')
  t.equal(messageOf('Nothing to hide', []), 'Nothing to hide')
  t.equal(messageOf('Nothing to hide', ['']), 'Nothing to hide')
})

t.test('only the beginning of a long message is read', async (t) => {
  const { read } = await stringWork(() => messageOf('ab'.repeat(1_000_000), ['ab'.repeat(500) + 'c', 'x'.repeat(1_000)]))
  t.ok(read < 50_000, `${read} characters are read`)
})
