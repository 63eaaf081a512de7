import { createHash } from 'node:crypto'

import t from 'tap'

import { breachCheck, pwnedPasswords } from '../../lib/passwords/breach-check.js'
import type { BreachRange } from '../../lib/passwords/breach-check.js'
import { createPasswords } from '../../lib/passwords/index.js'
import { cut, drip, hang, redirect, reply, stubUpstream } from '../helpers/stub-upstream.js'

// The SHA-1 of "password", as published by Have I Been Pwned: 5BAA6 1E4C9B93F3F0682250B6CF8331B7EE68FD8.
const SUFFIX = '1E4C9B93F3F0682250B6CF8331B7EE68FD8'
const OTHER = '0018A45C4D1DEF81644B54AB7F969B88D65'

t.test('only five digits of the SHA-1 leave the process, with padding asked for', async (t) => {
  const upstream = await stubUpstream(t, reply(`${OTHER}:1\r\n${SUFFIX}:9545824\r\n`))
  const isBreached = breachCheck(pwnedPasswords(upstream.origin))
  t.equal(await isBreached('password'), true)
  t.match(upstream.calls, [{ method: 'GET', url: '/range/5BAA6', headers: { 'add-padding': 'true' } }])
  const sha1 = createHash('sha1').update('password').digest('hex')
  for (const secret of ['password', sha1, sha1.slice(0, 6)]) {
    t.notOk(upstream.rawBytes().toLowerCase().includes(secret), secret)
  }
})

const LISTS: ReadonlyArray<readonly [string, string, boolean]> = [
  ['another suffix', `${OTHER}:7`, false],
  ['padding with the count 0', `${OTHER}:7\r\n${SUFFIX}:0\r\n`, false],
  ['line feeds alone', `${OTHER}:7\n${SUFFIX}:1\n`, true],
  ['digits in lower case', `${SUFFIX.toLowerCase()}:3`, true]
]

for (const [title, list, expected] of LISTS) {
  t.test(`a list with ${title}`, async (t) => {
    t.equal(await breachCheck(async () => list)('password'), expected)
  })
}

t.test('a list that is empty, invalid or no string rejects', async (t) => {
  const lists: unknown[] = ['', '\r\n', '<html>', `${SUFFIX}:-1`, `${SUFFIX}`, `${OTHER}:7\r\nx`, undefined, null, 7]
  for (const list of lists) {
    await t.rejects(breachCheck(async () => list as string)('password'), /list of breached passwords/, String(list))
  }
})

t.test('a server that fails, redirects, hangs or sends too much rejects', async (t) => {
  const upstream = await stubUpstream(t)
  const isBreached = breachCheck(pwnedPasswords(upstream.origin))
  const answers = [reply('no', 503), reply('no', 404), redirect('http://127.0.0.1:1/'), cut, hang, drip(),
    reply(`${OTHER}:7\r\n`.repeat(10_000))]
  for (const answer of answers) {
    upstream.answer = answer
    await t.rejects(isBreached('password'))
  }
  upstream.answer = reply(`${SUFFIX}:2`)
  t.equal(await isBreached('password'), true, 'the next check works')
})

t.test('the option is checked at the start', async (t) => {
  for (const option of ['yes', 1, null, {}]) {
    await t.rejects(createPasswords({ breachCheck: option as unknown as BreachRange }), { code: 'INVALID_OPTIONS' })
  }
  t.equal((await createPasswords()).isBreached, undefined)
  t.equal(await (await createPasswords({ breachCheck: async () => `${SUFFIX}:2` })).isBreached?.('password'), true)
})
