import t from 'tap'

import { isBotAgent } from '../../../routes/ingestion/bots.js'
import { BROWSERS, BOTS } from '../../helpers/user-agents.js'
import { cpuTime } from '../../helpers/cpu-time.js'

t.test('crawlers, headless browsers and monitors are bots', async (t) => {
  for (const [name, userAgent] of Object.entries(BOTS)) t.equal(isBotAgent(userAgent), true, name)
})

t.test('the browsers of people are none', async (t) => {
  for (const [name, userAgent] of Object.entries(BROWSERS)) t.equal(isBotAgent(userAgent), false, name)
})

t.test('a verdict stays the same when it is asked for again', async (t) => {
  for (let round = 0; round < 3; round++) {
    t.equal(isBotAgent(BOTS.googlebot), true)
    t.equal(isBotAgent(BROWSERS.chrome), false)
  }
})

t.test('J15: user agents of any length and shape are judged in no time', async (t) => {
  const pieces = ['a', ' ', '(', 'Mozilla/5.0 ', '(compatible; ', 'bot', '/1.0.0', 'x.', '-1', '\u0000', 'é', '🙂', '\ud800', '://', 'Chrome/1 ']
  const spent = cpuTime()
  for (const piece of pieces) {
    for (const start of ['', 'Mozilla/5.0 (X11; ']) t.type(isBotAgent(start + piece.repeat(100_000)), 'boolean')
  }
  for (let n = 0; n < 5_000; n++) isBotAgent(`Mozilla/5.0 (${n}; ${'Linux x86_64 '.repeat(80)})`)
  t.ok(spent() < 1_000)
})

t.test('a browser whose user agent is very long is none either, and what stands far behind says nothing', async (t) => {
  const long = `${BROWSERS.chrome} ${'[FBAN/FBIOS;FBAV/450.0.0;FBBV/1;FBDV/iPhone15,2]'.repeat(20)}`
  t.equal(isBotAgent(long), false)
  t.equal(isBotAgent(`${long} Googlebot`), false)
  t.equal(isBotAgent(`${BOTS.googlebot} ${'x'.repeat(5_000)}`), true)
})
