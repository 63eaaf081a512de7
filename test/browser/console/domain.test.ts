import t from 'tap'

import { acceptsOrigin, domainOf } from '../../../web/console/src/pages/sources/domain.js'

t.test('the domain that is offered for a refused origin allows this origin, and the page knows what is allowed ' +
  'already', async (t) => {
  for (const origin of ['https://shop.example.com', 'http://localhost:3000', 'https://shop.example.com:8443', 'app://main']) {
    const domain = domainOf(origin) ?? ''
    const settings = { allow_any_origin: false, allow_null_origin: false }
    t.equal(acceptsOrigin({ ...settings, domains: [domain] }, origin), true, `${domain} allows ${origin}`)
    t.equal(acceptsOrigin({ ...settings, domains: [] }, origin), false)
  }
  const wildcard = { domains: ['*.example.com'], allow_any_origin: false, allow_null_origin: false }
  t.equal(acceptsOrigin(wildcard, 'https://shop.example.com'), true, 'a subdomain of a wildcard')
  t.equal(acceptsOrigin(wildcard, 'https://example.com'), false)
  t.equal(acceptsOrigin(wildcard, 'https://evilexample.com'), false)
})

t.test('no domain is offered for the origin of a sandboxed frame, or for what is no origin', async (t) => {
  for (const text of ['null', 'https://shop.example.com/path', 'shop.example.com', '*']) t.equal(domainOf(text), null, text)
})
