import { randomBytes } from 'node:crypto'

import t from 'tap'

import { hmacSha256 } from '../../../signing/digest.js'
import { signWidgetToken, verifyWidgetToken } from '../../../signing/dxfeed/widget-token.js'
import { signatures } from '../vectors.js'

const NOW = 1_788_000_000_000
const PAYLOAD = {
  issuer: 'acme',
  session: 'web',
  expiration: NOW + 900_000,
  issuedAt: NOW,
  message: 'test,NYSE;NASDAQ'
}
const OPTIONS = { secret: 's3cr3t', now: NOW }

t.test('a valid token returns its payload, with the message split into user and filters', async (t) => {
  t.same(verifyWidgetToken(signWidgetToken(PAYLOAD, 's3cr3t'), OPTIONS), {
    valid: true,
    payload: { ...PAYLOAD, user: 'test', filters: ['NYSE', 'NASDAQ'] }
  })
  for (const { secret, now, message, issuer, session, token } of signatures.dxfeed) {
    const verdict = verifyWidgetToken(token, { secret, now })
    t.ok(verdict.valid, token)
    t.match(verdict, { payload: { issuer, session, message } })
  }
})

t.test('the official example is valid in seconds and not in milliseconds', async (t) => {
  const official = signatures.dxfeedExplicit.find(({ expiration }) => expiration < 1e11)
  const { token = '', secret = '' } = official ?? {}
  const now = 1_559_144_600_000
  t.match(verifyWidgetToken(token, { secret, now, timeUnit: 's', issuer: 'fxstreet', session: 'realtime' }), {
    valid: true,
    payload: { user: 'test', filters: [] }
  })
  t.same(verifyWidgetToken(token, { secret, now }), { valid: false, reason: 'wrong_time_unit' })
})

t.test('a token with any bit flipped is refused', async (t) => {
  for (let round = 0; round < 20; round++) {
    const secret = randomBytes(12).toString('base64')
    const token = signWidgetToken({
      ...PAYLOAD,
      message: `user${'x'.repeat(round)}`,
      issuedAt: NOW - round,
      session: `s${round}é`
    }, secret)
    t.ok(verifyWidgetToken(token, { secret, now: NOW }).valid)
    const bytes = Buffer.from(token)
    let accepted = 0
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      for (const text of [flipped.toString('latin1'), flipped.toString('utf8')]) {
        if (verifyWidgetToken(text, { secret, now: NOW }).valid) accepted++
      }
    }
    t.equal(accepted, 0)
  }
})

t.test('another encoding of the same bytes is refused', async (t) => {
  const token = signWidgetToken(PAYLOAD, 's3cr3t')
  const [text = '', signature = ''] = token.split('.')
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(signature.at(-1) ?? '')
  // 43 characters carry 258 bits, two more than the signature has: three other last characters stand for the same
  // bytes.
  for (const bits of [1, 2, 3]) {
    const other = signature.slice(0, -1) + alphabet.charAt(last ^ bits)
    t.same(Buffer.from(other, 'base64url'), Buffer.from(signature, 'base64url'))
    t.notOk(verifyWidgetToken(`${text}.${other}`, OPTIONS).valid)
  }
  const standard = signature.replaceAll('-', '+').replaceAll('_', '/')
  const spellings = [`${token}=`, `${text}=.${signature}`, `${token} `, ` ${token}`, `${token}\n`, `${token}.`,
    `.${token}`, `${token}.${signature}`, text, signature, `${text}.`, `.${signature}`, '', '.',
    `${text}..${signature}`, token.replace('.', ','), `${token}${'A'.repeat(10_000)}`]
  if (standard !== signature) spellings.push(`${text}.${standard}`)
  for (const spelling of spellings) t.notOk(verifyWidgetToken(spelling, OPTIONS).valid, spelling.slice(0, 200))
  for (const hostile of [undefined, null, 1, {}, [token]]) {
    t.notOk(verifyWidgetToken(hostile as unknown as string, OPTIONS).valid)
  }
})

t.test('an expiry in seconds instead of milliseconds is refused, and vice versa', async (t) => {
  const cases: Array<[number, number, 'ms' | 's', string]> = [
    [NOW / 1000 + 900, NOW, 'ms', 'wrong_time_unit'],
    [NOW / 1000 + 900, NOW / 1000, 'ms', 'wrong_time_unit'],
    [NOW + 900_000, NOW / 1000, 'ms', 'wrong_time_unit'],
    [NOW + 900_000, NOW, 's', 'wrong_time_unit'],
    [NOW + 900_000, NOW / 1000, 's', 'wrong_time_unit']
  ]
  for (const [expiration, issuedAt, timeUnit, reason] of cases) {
    t.same(
      verifyWidgetToken(signWidgetToken({ ...PAYLOAD, expiration, issuedAt }, 's3cr3t'), { ...OPTIONS, timeUnit }),
      { valid: false, reason }
    )
  }
})

t.test('a token issued beyond the tolerance in the future is refused, and an expired token is ' +
  'always refused', async (t) => {
  const token = signWidgetToken(PAYLOAD, 's3cr3t')
  const cases: Array<[number, number | undefined, string | null]> = [
    [NOW, undefined, null],
    [NOW - 30_000, undefined, null],
    [NOW - 30_001, undefined, 'issued_in_future'],
    [NOW - 3_600_000, undefined, 'issued_in_future'],
    [NOW - 1, 0, 'issued_in_future'],
    [NOW + 899_999, undefined, null],
    [NOW + 900_000, undefined, 'expired'],
    [NOW + 900_001, 1e9, 'expired'],
    [NaN, undefined, 'issued_in_future']
  ]
  for (const [now, tolerance, reason] of cases) {
    const verdict = verifyWidgetToken(token, { ...OPTIONS, now, ...tolerance === undefined ? {} : { tolerance } })
    t.equal(verdict.valid ? null : verdict.reason, reason, `${now - NOW} ms`)
  }
  const seconds = signWidgetToken({ ...PAYLOAD, issuedAt: NOW / 1000, expiration: NOW / 1000 + 900 }, 's3cr3t')
  for (
    const [now, reason] of [[NOW + 899_999, null], [NOW + 900_000, 'expired'], [NOW - 31_000,
      'issued_in_future']] as const
  ) {
    const verdict = verifyWidgetToken(seconds, { ...OPTIONS, now, timeUnit: 's' })
    t.equal(verdict.valid ? null : verdict.reason, reason, `${now - NOW} ms, in seconds`)
  }
})

t.test('a wrong secret, issuer or session and too long a lifetime are each refused with their reason', async (t) => {
  const token = signWidgetToken(PAYLOAD, 's3cr3t')
  const reason = (options: Partial<Parameters<typeof verifyWidgetToken>[1]>) => {
    const verdict = verifyWidgetToken(token, { ...OPTIONS, ...options })
    return verdict.valid ? null : verdict.reason
  }
  t.equal(reason({ issuer: 'acme', session: 'web', maxTtl: 900_000 }), null)
  t.equal(reason({ secret: 's3cr3T' }), 'bad_signature')
  t.equal(reason({ issuer: 'acme2' }), 'wrong_issuer')
  t.equal(reason({ session: '' }), 'wrong_session')
  t.equal(reason({ maxTtl: 899_999 }), 'lifetime_too_long')
  t.throws(() => verifyWidgetToken(token, { ...OPTIONS, secret: '' }), { name: 'TypeError' })
})

t.test('a signed payload that signWidgetToken would refuse is malformed', async (t) => {
  const times = `${NOW + 900_000},${NOW}`
  const payloads = [
    '',
    'a',
    'a,b',
    `a,b,,${times}`,
    `a,b,${NOW},${times},test`,
    `a,b,,${times},`,
    `a,b,,${times},u,f,g`,
    `a,b,,${times},u;v`,
    `a,b,,${times},u,`,
    `a,b,,0${times},test`,
    `a,b,,+${times},test`,
    `a,b,,${NOW + 900_000}.0,${NOW},test`,
    `a,b,,,${NOW},test`,
    `a,b,,${NOW},${NOW},test`,
    `a,b,,${NOW - 1},${NOW},test`,
    `a b,b,,${times},test`,
    `a%2Cb,b,,${times},test`,
    `%61,b,,${times},test`,
    `%zz,b,,${times},test`,
    `%C3,b,,${times},test`,
    `a,b,,${times},u%00`,
    `a,b,,${times},é`
  ]
  for (const payload of payloads) {
    const text = Buffer.from(payload, 'latin1').toString('base64').replace(/=+$/, '')
    const token = `${text}.${hmacSha256('s3cr3t', text).toString('base64url')}`
    t.same(verifyWidgetToken(token, OPTIONS), { valid: false, reason: 'malformed' }, payload)
  }
})
