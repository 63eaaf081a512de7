import t from 'tap'

import { parseDomain } from '../../../lib/cors/domain.js'
import { compileOrigins, matchesOrigin } from '../../../lib/cors/origin-rules.js'
import { vectorText } from '../../signing/vectors.js'
import { LOOK_ALIKES } from '../../helpers/look-alike-origins.js'
import { stringWork } from '../../helpers/string-work.js'

const SHOP = 'https://shop.example.com'

function matcher (...domains: string[]): (origin: string) => boolean {
  const rules = compileOrigins([{ domains, allowAnyOrigin: false, allowNullOrigin: false }])
  return (origin) => matchesOrigin(rules, origin)
}

/** The values of the Web Platform Tests, filled in for one origin. */
function disallowed (): string[] {
  const { disallowed } = JSON.parse(vectorText('cors/wpt_cors_origin_disallowed.json')) as { disallowed: string[] }
  const { host, protocol } = new URL(SHOP)
  return disallowed.map((template) =>
    template
      .replaceAll('{SCHEME}', protocol).replaceAll('{HOST}', host).replaceAll('{SUB}', 'www1').replaceAll(
        '{PARENT}',
        'example.com'
      )
      .replaceAll('{UPPER(SCHEME//HOST)}', SHOP.toUpperCase()).replaceAll('{UPPER(SCHEME)}', protocol.toUpperCase())
      .replaceAll('{HREF}', `${SHOP}/page`).replaceAll('{DIRNAME(HREF)}', `${SHOP}/`).replaceAll(
        '{CROSSDOMAIN}',
        'https://www1.example.net'
      )
  )
}

t.test('45 values of the Web Platform Tests and 40 look-alikes do not match, and the origin ' +
  'itself matches', async (t) => {
  const matches = matcher('shop.example.com')
  t.equal(disallowed().length, 45)
  t.equal(LOOK_ALIKES.length, 40)
  for (const origin of [...disallowed(), ...LOOK_ALIKES]) t.equal(matches(origin), false, JSON.stringify(origin))
  t.equal(matches(SHOP), true)
})

t.test('*.example.com matches any https subdomain and no other origin', async (t) => {
  const matches = matcher('*.example.com')
  for (
    const origin of ['https://shop.example.com', 'https://a.b.c.example.com', 'https://xn--bcher-kva.example.com',
      'https://my_shop.example.com']
  ) {
    t.equal(matches(origin), true, origin)
  }
  for (
    const origin of [
      'https://example.com',
      'http://shop.example.com',
      'https://shop.example.com:8443',
      'https://evil-example.com',
      'https://evilexample.com',
      'https://shop.example.com.evil.test',
      'https://shop.example.com.',
      'https://shop.example.comm',
      'https://.example.com',
      'https://*.example.com',
      'https://a..example.com',
      'https://shop.example.com/',
      'https://shop.example.com#.example.com',
      'https://evil.test/.example.com',
      'https://evil.test?.example.com',
      'https://user@shop.example.com',
      'https://shop.example.com,https://evil.test',
      'null',
      '',
      'file://'
    ]
  ) t.equal(matches(origin), false, JSON.stringify(origin))
})

t.test('a domain matches scheme, host and port, and https if it has no scheme', async (t) => {
  for (
    const [domain, yes, no] of [
      ['shop.example.com', 'https://shop.example.com', 'http://shop.example.com'],
      ['http://localhost:3000', 'http://localhost:3000', 'http://localhost:3001'],
      ['HTTPS://Shop.Example.COM', 'https://shop.example.com', 'https://example.com'],
      ['https://shop.example.com:443', 'https://shop.example.com', 'https://shop.example.com:443'],
      ['shop.example.com:8443', 'https://shop.example.com:8443', 'https://shop.example.com'],
      ['http://*.example.com:8080', 'http://a.example.com:8080', 'http://a.example.com'],
      ['*.localhost', 'https://shop.localhost', 'https://localhost'],
      ['bücher.example', 'https://xn--bcher-kva.example', 'https://bucher.example'],
      ['https://[::1]:3000', 'https://[::1]:3000', 'https://[::2]:3000'],
      ['192.0.2.1', 'https://192.0.2.1', 'https://192.0.2.10'],
      ['capacitor://localhost', 'capacitor://localhost', 'ionic://localhost'],
      ['Ionic://localhost', 'ionic://localhost', 'https://localhost'],
      ['tauri://localhost', 'tauri://localhost', 'tauri://localhost:1'],
      ['chrome-extension://abcdefghijklmnopabcdefghijklmnop', 'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
        'chrome-extension://abcdefghijklmnopabcdefghijklmnoo'],
      ['safari-web-extension://1D5F9BC0-0000-4000-8000-00000000ABCD',
        'safari-web-extension://1D5F9BC0-0000-4000-8000-00000000ABCD',
        'safari-web-extension://1d5f9bc0-0000-4000-8000-00000000abcd'],
      ['app://com.example.desk:3000', 'app://com.example.desk:3000', 'app://com.example.desk']
    ] as const
  ) {
    t.equal(matcher(domain)(yes), true, `${domain} matches ${yes}`)
    t.equal(matcher(domain)(no), false, `${domain} does not match ${no}`)
  }
})

t.test('an invalid domain is refused', async (t) => {
  for (
    const text of [
      '*',
      '*.*',
      '*.com',
      '*example.com',
      'shop.*',
      'a.*.example.com',
      '*.*.example.com',
      '**.example.com',
      'null',
      'NULL',
      '*.null',
      '',
      ' ',
      'shop.example.com ',
      '/^https:/',
      '^https://shop\\.example\\.com$',
      '(a|b).example.com',
      'shop[0-9].example.com',
      '.example.com',
      'example.com.',
      'a..example.com',
      'https://shop.example.com/',
      'https://shop.example.com/path',
      'shop.example.com/path',
      'https://shop.example.com?x',
      'https://shop.example.com#x',
      'https://user:pass@shop.example.com',
      'user@shop.example.com',
      'javascript:alert(1)',
      'javascript:',
      'data:text/html,x',
      'file:///etc/passwd',
      'ftp://shop.example.com',
      'ws://shop.example.com',
      'blob:https://shop.example.com/1',
      'file://',
      'about:blank',
      'capacitor://',
      'capacitor:localhost',
      'capacitor://localhost/',
      'capacitor://localhost/x',
      'capacitor://*.localhost',
      'capacitor://*',
      'capacitor://a@localhost',
      'capacitor://bücher',
      'capacitor://localhost?x',
      '1app://localhost',
      'javascript://localhost',
      'data://localhost',
      'file://localhost',
      'blob://localhost',
      'filesystem://localhost',
      'https://',
      'https:shop.example.com',
      '//shop.example.com',
      'https://shop.example.com:99999',
      'https://shop.example.com:',
      'https://a.example.com,https://b.example.com',
      'https://a.example.com https://b.example.com',
      'shop.example.com\0',
      'shop.example.com\r\nx',
      '%65xample.com',
      '*.192.0.2.1',
      '*.[::1]',
      'https://[::1',
      'x'.repeat(301),
      `${'a'.repeat(64)}.${'b'.repeat(250)}`
    ]
  ) t.equal(parseDomain(text), null, JSON.stringify(text))
})

t.test('allowAnyOrigin matches every well-formed origin, but not null', async (t) => {
  const rules = compileOrigins([{ domains: [], allowAnyOrigin: true, allowNullOrigin: false }])
  for (const origin of ['https://evil.test', 'http://localhost:1', 'capacitor://localhost', 'https://[::1]']) {
    t.equal(matchesOrigin(rules, origin), true, origin)
  }
  for (
    const origin of ['null', '', '*', 'https://a.test, https://b.test', 'https://a.test/', 'https://A.test',
      'evil.test', 'https://a.test\0']
  ) {
    t.equal(matchesOrigin(rules, origin), false, JSON.stringify(origin))
  }
})

t.test('the origin null is allowed only by allowNullOrigin, which allows no other origin', async (t) => {
  const rules = compileOrigins([{ domains: [], allowAnyOrigin: false, allowNullOrigin: false }, {
    domains: [],
    allowAnyOrigin: false,
    allowNullOrigin: true
  }])
  t.equal(matchesOrigin(rules, 'null'), true)
  for (const origin of ['NULL', 'null ', 'null, null', '', 'https://null', 'file://', SHOP]) {
    t.equal(matchesOrigin(rules, origin), false, JSON.stringify(origin))
  }
})

t.test('an empty list matches no origin, and an invalid entry does not affect the others', async (t) => {
  t.equal(matcher()(SHOP), false)
  t.equal(matcher('*', 'javascript:', 'shop.example.com')(SHOP), true)
  t.equal(matcher('*', 'javascript:', 'shop.example.com')('https://evil.test'), false)
})

t.test('origins of 100 KB are refused without parsing', async (t) => {
  const matches = matcher('*.example.com', 'shop.example.com')
  for (
    const origin of [`https://${'a.'.repeat(50_000)}example.com`, `https://${'a'.repeat(100_000)}`,
      'https://'.repeat(12_000)]
  ) {
    const { read } = await stringWork(() => t.equal(matches(origin), false))
    t.ok(read < 5_000, `${read} characters are read`)
  }
})
