import { deflateRawSync, gzipSync } from 'node:zlib'

import t from 'tap'

import { codingOf, inflate } from '../../../../routes/ingestion/body/inflate.js'

function outcome (bytes: Buffer, limit: number): Promise<string> {
  return new Promise((resolve) => {
    inflate('gzip', bytes, limit, (error, inflated) => resolve(error?.code ?? inflated.toString()))
  })
}

t.test('a body inflates up to exactly the limit, for any length', async (t) => {
  for (const length of [1, 2, 100, 16_383, 16_384, 16_385, 65_536, 200_000]) {
    const text = 'x'.repeat(length)
    t.equal(await outcome(gzipSync(text), length), text, `${length}`)
    if (length > 1) t.equal(await outcome(gzipSync(text), length - 1), 'PAYLOAD_TOO_LARGE', `${length}`)
    t.equal(await outcome(gzipSync(text), Number.MAX_SAFE_INTEGER), text, 'a limit above the largest buffer')
  }
})

t.test('bare deflate is distinguished from zlib, for any first block', async (t) => {
  for (const options of [{ level: 0 }, { level: 1 }, { level: 9 }, { strategy: 2 }, { strategy: 4 }]) {
    for (
      const text of ['', 'x', 'x'.repeat(70_000), Array.from({ length: 3_000 }, (_, n) => n * 7_919 % 9_973).join()]
    ) {
      const inflated = await new Promise<string>((resolve) => {
        inflate(
          'deflate',
          deflateRawSync(text, options),
          100_000,
          (error, bytes) => resolve(error?.code ?? bytes.toString())
        )
      })
      t.equal(inflated, text)
    }
  }
})

t.test('a body is UNAVAILABLE while a thousand bodies wait to be inflated, and the waiting bodies are ' +
  'inflated', async (t) => {
  const body = gzipSync('{}')
  const answers = await Promise.all(Array.from({ length: 1_100 }, () => outcome(body, 10)))
  t.equal(answers.filter((answer) => answer === '{}').length, 1_002)
  t.equal(answers.filter((answer) => answer === 'UNAVAILABLE').length, 98)
  t.equal(await outcome(body, 10), '{}')
})

t.test('codingOf accepts identity, gzip, x-gzip and deflate in any letter case, and no other name', async (t) => {
  t.same([undefined, 'identity', 'gzip', 'x-gzip', 'deflate', 'GZIP', 'Deflate'].map(codingOf), ['identity', 'identity',
    'gzip', 'gzip', 'deflate', 'gzip', 'deflate'])
  t.same(['', 'br', 'gzip, gzip', 'gzip ', 'toString', '__proto__', 'x-deflate'].map(codingOf), Array(7).fill(null))
})
