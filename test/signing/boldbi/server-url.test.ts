import t from 'tap'

import { normaliseServerUrl } from '../../../signing/boldbi/server-url.js'
import { vectorText } from '../vectors.js'

const ALLOWED = 'https://bi.test/bi/api/site/site1'

t.test('all spellings of one server are normalised to one URL', async (t) => {
  for (
    const text of [ALLOWED, `${ALLOWED}/`, 'HTTPS://BI.TEST/bi/api/site/site1', 'https://bi.test:443/bi/api/site/site1',
      'https://bi.test/bi/x/../api/site/site1']
  ) {
    t.equal(normaliseServerUrl(text), ALLOWED, text)
  }
  t.equal(normaliseServerUrl('http://127.0.0.1:8080/'), 'http://127.0.0.1:8080')
  t.equal(normaliseServerUrl('http://[::1]:8080/bi'), 'http://[::1]:8080/bi')
})

t.test('the 160 SSRF targets are not the allowed server', async (t) => {
  const targets = vectorText('url_ssrf/patt_ssrf_urls.txt').split('\n').filter((line) => line !== '')
  t.equal(targets.length, 160)
  for (const target of targets) t.not(normaliseServerUrl(target), ALLOWED, target)
})

t.test('a look-alike is refused unless it has the same host', async (t) => {
  const others = [
    'https://bi.test.evil.test/bi/api/site/site1',
    'https://bi.test@evil.test/bi/api/site/site1',
    'https://evil.test#bi.test/bi/api/site/site1',
    'https://evil.test\\@bi.test/bi/api/site/site1',
    'https://evil.test/@bi.test/bi/api/site/site1',
    'https://user@bi.test/bi/api/site/site1',
    'https://user:pass@bi.test/bi/api/site/site1',
    'https://bi.test:444/bi/api/site/site1',
    'https://bi.test:80/bi/api/site/site1',
    'http://bi.test/bi/api/site/site1',
    'http://bi.test:443/bi/api/site/site1',
    '//bi.test/bi/api/site/site1',
    '/bi/api/site/site1',
    'bi.test/bi/api/site/site1',
    `${ALLOWED}/../../admin`,
    `${ALLOWED}/..`,
    `${ALLOWED}0`,
    `${ALLOWED}/x`,
    `${ALLOWED}//`,
    `${ALLOWED}/%2e%2e`,
    `${ALLOWED}/%2E%2e/site2`,
    `${ALLOWED}%2f..`,
    'https://bi.test//bi/api/site/site1',
    'https://bi.test/bi/api/site',
    'https://bi.test/BI/api/site/site1',
    'https://bi.test/%62i/api/site/site1',
    'https://bi.test./bi/api/site/site1',
    'https://bi.test%00.evil.test/bi/api/site/site1',
    'https://bi.test%2eevil.test/',
    'https://bi-test/bi/api/site/site1',
    `${ALLOWED}?`,
    `${ALLOWED}?x=1`,
    `${ALLOWED}#`,
    `${ALLOWED}#x`,
    `${ALLOWED};x`,
    `${ALLOWED}\\`,
    `${ALLOWED} `,
    ` ${ALLOWED}`,
    `${ALLOWED}\n`,
    'https://bi.te\tst/bi/api/site/site1',
    'ftp://bi.test/bi/api/site/site1',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'ws://bi.test/bi/api/site/site1',
    `blob:${ALLOWED}`,
    `jar:${ALLOWED}!/`,
    '',
    'https://',
    'null',
    `https://bi.test/${'x'.repeat(3000)}`
  ]
  for (const text of others) t.not(normaliseServerUrl(text), ALLOWED, text)
  // The URL parser, and so the request, maps full-width and enclosed letters to plain letters: the same host.
  for (
    const text of ['https://ｂｉ.test/bi/api/site/site1', 'https://ⓑⓘ.ⓣⓔⓢⓣ/bi/api/site/site1',
      'https://bi。test/bi/api/site/site1']
  ) {
    t.equal(new URL(text).host, 'bi.test')
    t.equal(normaliseServerUrl(text), ALLOWED, text)
  }
})

t.test("an accepted URL of the web platform's test cases is http(s) and keeps its host", async (t) => {
  const cases = (JSON.parse(vectorText('url_ssrf/wpt_urltestdata.json')) as unknown[]).filter(isCase)
  t.equal(cases.length, 891)
  for (const { input } of cases) {
    const spelling = normaliseServerUrl(input)
    if (spelling === null) continue
    const url = new URL(spelling)
    t.ok(/^https?:\/\/[^/@?#]+/.test(spelling) && url.username === '' && url.search === '' && url.hash === '', input)
    t.equal(url.host, new URL(input).host, input)
    t.not(spelling, ALLOWED)
    t.equal(new URL(`${spelling}/embed/authorize`).host, url.host)
  }
})

function isCase (value: unknown): value is { input: string } {
  return typeof value === 'object' && value !== null && 'input' in value && typeof value.input === 'string'
}
