import t from 'tap'

import { createTotp } from '../../../../routes/admin/mfa/totp.js'
import { totpCode } from '../../../helpers/mfa.js'

/** RFC 6238, appendix B: the codes of SHA-1 with 8 digits, for the secret "12345678901234567890". */
const RFC_SECRET = Buffer.from('12345678901234567890')
const RFC_BASE32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const RFC_CODES: ReadonlyArray<[seconds: number, code: string]> = [
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130']
]

t.test('the codes are those of RFC 6238, of which apps show the last 6 digits', async (t) => {
  const totp = await createTotp('Example')
  for (const [seconds, code] of RFC_CODES) {
    t.equal(totpCode(RFC_SECRET, seconds * 1000, 8), code, 'the tests compute the codes as the RFC does')
    const short = code.slice(-6)
    t.equal(totpCode(RFC_BASE32, seconds * 1000), short)
    t.equal(await totp.stepOf(RFC_BASE32, short, seconds * 1000), Math.floor(seconds / 30), `${seconds}`)
  }
})

t.test('a code is valid in its own step, one step before and one step after', async (t) => {
  const totp = await createTotp('Example')
  const start = 1_111_111_110_000
  const code = totpCode(RFC_BASE32, start)
  const step = start / 30_000
  for (const at of [start - 30_000, start - 1, start, start + 29_999, start + 30_000, start + 59_999]) {
    t.equal(await totp.stepOf(RFC_BASE32, code, at), step, `${at - start} ms`)
  }
  for (const at of [start - 30_001, start + 60_000, start + 3_600_000]) {
    t.equal(await totp.stepOf(RFC_BASE32, code, at), null, `${at - start} ms`)
  }
})

t.test('a string that is not 6 digits is not a code', async (t) => {
  const totp = await createTotp('Example')
  const code = totpCode(RFC_BASE32, 59_000)
  for (const wrong of ['', code.slice(1), `${code}0`, `0${code}`, ` ${code}`, `${code}\n`, '۱۲۳۴۵۶', '1e5000', '-28708', '94287082']) {
    t.equal(await totp.stepOf(RFC_BASE32, wrong, 59_000), null, wrong)
  }
})

t.test('a secret has 160 random bits, and its URL names the app and the user', async (t) => {
  const totp = await createTotp('Example & Co')
  const secrets = new Set(await Promise.all(Array.from({ length: 100 }, () => totp.createSecret())))
  t.equal(secrets.size, 100)
  for (const secret of secrets) t.match(secret, /^[A-Z2-7]{32}$/)
  const url = new URL(await totp.urlOf(RFC_BASE32, 'ann@example.com'))
  t.equal(url.protocol, 'otpauth:')
  t.equal(url.host, 'totp')
  t.equal(decodeURIComponent(url.pathname), '/Example & Co:ann@example.com')
  t.equal(url.searchParams.get('secret'), RFC_BASE32)
  t.equal(url.searchParams.get('issuer'), 'Example & Co')
})
