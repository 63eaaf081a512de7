import t from 'tap'

import { parseUrl } from '../../signing/parse-url.js'

t.test('a URL with a Latin-1 letter is parsed on every call', async (t) => {
  let missed = 0
  for (let call = 0; call < 100_000; call++) if (parseUrl('https://bücher.example/ä') === null) missed++
  t.equal(missed, 0)
  t.equal(parseUrl('https://bücher.example/ä')?.href, 'https://xn--bcher-kva.example/%C3%A4')
})

t.test('a string that is no URL is null', async (t) => {
  for (const text of ['', '/x', 'x', 'https://', 'http://[::1', 'https://a b']) t.equal(parseUrl(text), null, text)
})
