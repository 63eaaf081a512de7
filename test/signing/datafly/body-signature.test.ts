import { createHash } from 'node:crypto'

import t from 'tap'

import { hmacSha256 } from '../../../signing/digest.js'
import {
  parseSignatureHeader, signBody, signTimestampedBody, verifyBody,
  verifyTimestampedBody
} from '../../../signing/datafly/body-signature.js'
import { githubCases, nistCases, rfc4231Cases, signatures } from '../vectors.js'

const NOW = 1_772_029_800_000

t.test('signing every body of the vectors returns the published header, which is valid', async (t) => {
  for (const { secret, body, header } of signatures.datafly) {
    t.equal(signBody(secret, body), header)
    t.equal(signBody(Buffer.from(secret), Buffer.from(body)), header)
    t.equal(verifyBody(header, [secret], Buffer.from(body)), 'valid')
  }
})

t.test('signing every body of the vectors returns the published timestamped header, which is valid', async (t) => {
  for (const { secret, body, timestamp, header } of signatures.dataflyTimestamped) {
    t.equal(signTimestampedBody(secret, timestamp, body), header)
    t.equal(verifyTimestampedBody({ header, timestamp, now: Number(timestamp) }, [secret], Buffer.from(body)), 'valid')
  }
})

t.test('the tags of RFC 4231 and NIST are accepted, and a truncated tag is refused', async (t) => {
  for (const { key, data, tag } of rfc4231Cases) {
    const verdict = verifyBody(`sha256=${tag.hex}`, [Buffer.from(key, 'hex')], Buffer.from(data, 'hex'))
    t.equal(verdict, tag.truncated ? 'invalid' : 'valid', tag.hex)
  }
  for (const { key, data_text, tag } of nistCases) {
    t.equal(verifyBody(`sha256=${tag}`, [Buffer.from(key, 'hex')], Buffer.from(data_text)), 'valid', tag)
  }
})

t.test('the test values of GitHub and octokit are accepted and refused as documented', async (t) => {
  for (const { id, secret, body, header, valid } of githubCases) {
    // One case is published without its body.
    if (body === undefined) continue
    t.equal(verifyBody(header, [secret], Buffer.from(body)), valid ? 'valid' : 'invalid', id)
  }
})

t.test('only "sha256=" and 64 hex digits of either case is a signature header', async (t) => {
  const good = signBody('secret', 'body')
  const hex = good.slice('sha256='.length)
  const base64 = hmacSha256('secret', 'body').toString('base64')
  const refused = [
    '',
    'sha256=',
    hex,
    `sha1=${hex}`,
    `sha512=${hex}`,
    `SHA256=${hex}`,
    `Sha256=${hex}`,
    `sha256:${hex}`,
    `sha256==${hex}`,
    `sha256=0x${hex}`,
    `sha256=${base64}`,
    `sha256=${hex.slice(2)}`,
    `sha256=${hex.slice(1)}`,
    `sha256=${hex}0`,
    `sha256=${hex}${hex}`,
    `sha256=${hex.slice(1)}g`,
    ` ${good}`,
    `${good} `,
    `${good}\n`,
    `${good}\0`,
    `sha256= ${hex}`,
    `sha256 =${hex}`,
    `${good},`,
    `${good},${good}`,
    `${good}, ${good}`,
    `"${good}"`,
    `sha256="${hex}"`,
    'foo',
    'sha256=undefined',
    `sha256=${'٣'.repeat(64)}`,
    `sha256=${'ａ'.repeat(64)}`,
    `v1=${hex}`
  ]
  for (const header of refused) {
    t.equal(parseSignatureHeader(header), null, header)
    t.equal(verifyBody(header, ['secret'], 'body'), 'invalid', header)
    t.equal(verifyTimestampedBody({ header, timestamp: String(NOW), now: NOW }, ['secret'], 'body'), 'invalid', header)
  }
  t.same(parseSignatureHeader(good), hmacSha256('secret', 'body'))
  t.equal(verifyBody(`sha256=${hex.toUpperCase()}`, ['secret'], 'body'), 'valid')
})

t.test('a body with any bit flipped is refused, and so is a signature with any bit flipped', async (t) => {
  const body = Buffer.concat(Array.from({ length: 7 }, (_, n) => createHash('sha256').update(String(n)).digest()))
    .subarray(0, 200)
  const header = signBody('secret', body)
  const accepted = flips(body).filter((flipped) => verifyBody(header, ['secret'], flipped) === 'valid')
  t.equal(flips(body).length, 1600)
  t.equal(accepted.length, 0)

  const tag = parseSignatureHeader(header) ?? Buffer.alloc(0)
  t.equal(
    flips(tag).filter((flipped) => verifyBody(`sha256=${flipped.toString('hex')}`, ['secret'], body) === 'valid')
      .length,
    0
  )
  t.equal(verifyBody(header, ['secret'], body), 'valid', 'the unaltered body')
})

t.test('a signature is over the bytes, not over the parsed JSON', async (t) => {
  const spellings = ['{"a":1,"b":"é"}', '{"a": 1, "b": "é"}', '{"b":"é","a":1}', '{"a":1,"b":"\\u00e9"}',
    '{"a":1,"b":"é"}\n', '{"a":0,"a":1,"b":"é"}']
  for (const [at, body] of spellings.entries()) {
    for (const [other, text] of spellings.entries()) {
      t.equal(verifyBody(signBody('secret', body), ['secret'], Buffer.from(text)), at === other ? 'valid' : 'invalid')
    }
  }
})

t.test('during a rotation each valid secret is accepted, a removed secret is refused, and an empty ' +
  'list refuses all', async (t) => {
  const timestamp = String(NOW)
  for (
    const [secrets, verdict] of [[['new', 'old'], 'valid'], [['old'], 'valid'], [['new'], 'invalid'], [[],
      'invalid']] as const
  ) {
    t.equal(verifyBody(signBody('old', 'body'), secrets, 'body'), verdict)
    t.equal(
      verifyTimestampedBody(
        { header: signTimestampedBody('old', timestamp, 'body'), timestamp, now: NOW },
        secrets,
        'body'
      ),
      verdict
    )
  }
})

t.test('a timestamp is accepted up to five minutes off on either side, and never in seconds', async (t) => {
  const cases: Array<[string, string]> = [
    [String(NOW - 299_000), 'valid'],
    [String(NOW + 299_000), 'valid'],
    [String(NOW - 300_000), 'valid'],
    [String(NOW + 300_000), 'valid'],
    [String(NOW - 300_001), 'timestamp_out_of_range'],
    [String(NOW + 300_001), 'timestamp_out_of_range'],
    [String(NOW / 1000), 'timestamp_out_of_range'],
    [`${NOW}000`, 'timestamp_out_of_range'],
    ['9'.repeat(16), 'timestamp_out_of_range']
  ]
  for (const [timestamp, verdict] of cases) {
    t.equal(
      verifyTimestampedBody({ header: signTimestampedBody('secret', timestamp, 'body'), timestamp, now: NOW }, [
        'secret'
      ], 'body'),
      verdict,
      timestamp
    )
  }
  const at = { header: signTimestampedBody('secret', String(NOW), 'body'), timestamp: String(NOW) }
  t.equal(
    verifyTimestampedBody({ ...at, now: NOW + 2000, tolerance: 1000 }, ['secret'], 'body'),
    'timestamp_out_of_range',
    'a smaller tolerance'
  )
  t.equal(verifyTimestampedBody({ ...at, now: NaN }, ['secret'], 'body'), 'timestamp_out_of_range', 'an unknown time')
})

t.test('a timestamp that is no plain decimal number is out of range, even if it is signed', async (t) => {
  const odd = ['', ' ', `${NOW} `, ` ${NOW}`, `+${NOW}`, `-${NOW}`, `0${NOW}`, `${NOW}.0`, '1.7720298e12',
    '0x19c94e5a3c0', `${NOW},${NOW}`, `${NOW}, ${NOW}`, new Date(NOW).toISOString(), 'NaN', 'Infinity', '١٧٧٢٠٢٩٨٠٠٠٠٠',
    `${NOW}\n`]
  for (const timestamp of odd) {
    const header = `sha256=${hmacSha256('secret', `${timestamp}.body`).toString('hex')}`
    t.equal(
      verifyTimestampedBody({ header, timestamp, now: NOW }, ['secret'], 'body'),
      'timestamp_out_of_range',
      timestamp
    )
    t.throws(
      () => signTimestampedBody('secret', timestamp, 'body'),
      { name: 'TypeError', message: /^timestamp: / },
      timestamp
    )
  }
})

t.test('a timestamped signature is invalid for another timestamp and for the body without it', async (t) => {
  const header = signTimestampedBody('secret', String(NOW), 'body')
  t.equal(verifyTimestampedBody({ header, timestamp: String(NOW + 1), now: NOW }, ['secret'], 'body'), 'invalid')
  t.equal(verifyBody(header, ['secret'], 'body'), 'invalid')
  t.equal(
    verifyTimestampedBody({ header: signBody('secret', 'body'), timestamp: String(NOW), now: NOW }, ['secret'], 'body'),
    'invalid'
  )
})

function flips (bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    return flipped
  })
}
