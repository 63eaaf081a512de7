import t from 'tap'

import { deviceName } from '../../../../routes/admin/auth/device.js'

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const APPLE = 'AppleWebKit/605.1.15 (KHTML, like Gecko)'
const DEVICES: ReadonlyArray<readonly [string, string | null]> = [
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/126.0.0.0 Safari/537.36`, 'Chrome 126 on Windows'],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0`,
    'Edge 126 on Windows'],
  [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} HeadlessChrome/130.0.0.0 Safari/537.36`, 'Chrome 130 on Linux'],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${WEBKIT} Chrome/126.0.0.0 Safari/537.36`, 'Chrome 126 on ChromeOS'],
  [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0`, 'Opera 112 on Linux'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0', 'Firefox 127 on Linux'],
  ['Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0', 'Firefox 127 on Android'],
  [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${APPLE} Version/17.5 Safari/605.1.15`, 'Safari 17 on macOS'],
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) ${APPLE} Version/17.5 Mobile/15E148 Safari/604.1`,
    'Safari 17 on iOS'],
  [`Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) ${APPLE} CriOS/126.0.0.0 Mobile/15E148 Safari/604.1`,
    'Chrome 126 on iPadOS'],
  [`Mozilla/5.0 (Linux; Android 14; SM-S911B) ${WEBKIT} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`,
    'Samsung Internet 25 on Android'],
  ['curl/8.5.0', 'curl 8'],
  ['node', 'node'],
  ['Mozilla/5.0', null],
  ['', null],
  ['<script>alert(1)</script>', null],
  ['\u202e\r\n', null],
  ['(Windows NT', 'Windows']
]

for (const [userAgent, device] of DEVICES) {
  t.equal(deviceName(userAgent), device, userAgent)
}

t.test('the result is short, whatever the header contains', async (t) => {
  for (const text of ['Chrome/', 'Version/1', 'Mobile/', 'a', '9', ' ', 'Version/1 Mobile/a ']) {
    const name = deviceName(`Windows NT Chrome/${'9'.repeat(400)} ${text.repeat(512)}`) ?? ''
    t.ok(name.length <= 60, name)
  }
})
