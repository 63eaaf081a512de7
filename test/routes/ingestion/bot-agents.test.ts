import t from 'tap'

import { botCheck } from '../../../routes/ingestion/bots.js'
import { stringWork } from '../../helpers/string-work.js'
import { BROWSERS, BOTS } from '../../helpers/user-agents.js'

const isBotAgent = botCheck()
const IN_APP = (carrier: string) =>
  '[FBAN/FB4A;FBAV/567.1.0.52.74;FBBV/1003893689;FBDM/{density=3.0,width=1080,height=2340};FBLC/nl_NL;' +
  `FBRV/1012267334;FBCR/${carrier};FBMF/samsung;FBBD/samsung;FBPN/com.facebook.katana;FBDV/SM-S921B;FBSV/16;FBOP/1;FBCA/arm64-v8a:;]`

t.test('crawlers, headless browsers and monitors are bots', async (t) => {
  for (const [name, userAgent] of Object.entries(BOTS)) t.equal(isBotAgent(userAgent), true, name)
})

t.test('browsers are not bots', async (t) => {
  for (const [name, userAgent] of Object.entries(BROWSERS)) t.equal(isBotAgent(userAgent), false, name)
})

t.test('an in-app browser is not a bot for any carrier, alone or after the name of the browser', async (t) => {
  const phone =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 '
  for (const carrier of ['Vodafone', 'NL KPN', 'T-Mobile', '', 'Spider Mobile', 'Botswana.com', '3', 'O2']) {
    for (
      const userAgent of [IN_APP(carrier), phone + IN_APP(carrier), phone + IN_APP(carrier).replace('FBAN', 'FB_IAB')]
    ) t.equal(isBotAgent(userAgent), false, userAgent)
  }
  t.equal(isBotAgent(BOTS.facebookPreview), true, 'the preview fetcher of Facebook is a bot')
  t.equal(isBotAgent('FBAN/FB4A;FBAV/567.1.0.52.74;FBBV/1003893689;FBCR/Vodafone'), true, 'without the brackets')
})

t.test('exceptions are regular expressions or strings in any letter case, and apply to only their ' +
  'registration', async (t) => {
  const excepting = botCheck({ except: ['acmekiosk/2 (+http', /^ShopApp\/\d+$/] })
  for (const userAgent of ['AcmeKiosk/2 (+https://acme.example.com/bot)', 'ShopApp/71', IN_APP('Vodafone')]) {
    for (let round = 0; round < 2; round++) t.equal(excepting(userAgent), false, userAgent)
  }
  for (const userAgent of ['AcmeKiosk/2', 'ShopApp/71a', BOTS.googlebot]) t.equal(excepting(userAgent), true, userAgent)
  t.equal(isBotAgent('ShopApp/71'), true)
})

t.test('exceptions that match everything, keep state or are not patterns are refused at start-up', async (t) => {
  for (const except of [[''], [' '], [/a/g], [/a/y], [/(?:)/], [/x*/], [7], [null], 'Googlebot', {}]) {
    t.throws(
      () => botCheck({ except: except as never }),
      { code: 'INVALID_OPTIONS', message: /bots\.except/ },
      String(except)
    )
  }
})

t.test('an unknown option is refused with the nearest name', async (t) => {
  t.throws(() => botCheck({ excpet: [] } as never), { code: 'INVALID_OPTIONS', message: /bots\.excpet.*bots\.except/ })
})

t.test('repeated checks of one user agent return the same result', async (t) => {
  for (let round = 0; round < 3; round++) {
    t.equal(isBotAgent(BOTS.googlebot), true)
    t.equal(isBotAgent(BROWSERS.chrome), false)
  }
})

t.test('only the beginning of a long user agent is read', async (t) => {
  const pieces = ['a', ' ', '(', 'Mozilla/5.0 ', '(compatible; ', 'bot', '/1.0.0', 'x.', '-1', '\u0000', 'é', '🙂',
    '\ud800', '://', 'Chrome/1 ']
  for (const piece of pieces) {
    for (const start of ['', 'Mozilla/5.0 (X11; ']) {
      const { read } = await stringWork(() => t.type(isBotAgent(start + piece.repeat(100_000)), 'boolean'))
      t.ok(read < 5_000, `${read} characters are read`)
    }
  }
})

t.test('a browser with a very long user agent is not a bot, and a name far behind the beginning has no ' +
  'effect', async (t) => {
  const long = `${BROWSERS.chrome} ${'[FBAN/FBIOS;FBAV/450.0.0;FBBV/1;FBDV/iPhone15,2]'.repeat(20)}`
  t.equal(isBotAgent(long), false)
  t.equal(isBotAgent(`${long} Googlebot`), false)
  t.equal(isBotAgent(`${BOTS.googlebot} ${'x'.repeat(5_000)}`), true)
})
