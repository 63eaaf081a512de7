import fc from 'fast-check'
import t from 'tap'

import { OriginIndex } from '../../plugins/origin-index.js'
import { compileOrigins, matchesOrigin, parseDomain } from '../../plugins/origin-rules.js'
import { freezeOrigins } from '../../plugins/token-store/source-settings.js'

const ORIGINS = ['https://a.test', 'https://x.a.test', 'http://a.test', 'https://b.test:8443', 'capacitor://localhost', 'null', 'https://other.test', 'https://*.a.test', '']

const aSource = fc.record({
  domains: fc.array(fc.constantFrom('a.test', '*.a.test', 'http://a.test', 'https://b.test:8443', 'capacitor://localhost', 'no domain', 'a.test\nb.test')),
  allowAnyOrigin: fc.boolean(),
  allowNullOrigin: fc.boolean()
})
// Most sources name their own pages alone.
const usual = aSource.map(({ domains }) => ({ domains, allowAnyOrigin: false, allowNullOrigin: false }))
const oneOf = fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: aSource })
const lists = fc.array(fc.array(oneOf, { maxLength: 6 }), { minLength: 1, maxLength: 8 })

t.test('an index that follows any history of lists says of each origin what the last list says', async (t) => {
  fc.assert(fc.property(lists, (history) => {
    const index = new OriginIndex()
    for (const sources of history) {
      const list = freezeOrigins(sources)
      const rules = index.follow(list)
      for (const origin of ORIGINS) if (matchesOrigin(rules, origin) !== matchesOrigin(compileOrigins(list), origin)) return false
    }
    return true
  }), { numRuns: 500 })
  t.pass('500 histories')
})

t.test('a refreshed list has only those sources compiled whose text is new', async (t) => {
  const index = new OriginIndex()
  const read: string[] = []
  // Compiling goes through the domains one by one.
  const source = (name: string) => {
    const domains = [`${name}.test`]
    const iterate = domains[Symbol.iterator].bind(domains)
    Object.defineProperty(domains, Symbol.iterator, { value: () => { read.push(name); return iterate() } })
    return { domains, allowAnyOrigin: false, allowNullOrigin: false }
  }
  const lists = [['a', 'b'], ['a', 'b'], ['b', 'c'], ['b', 'b', 'c']]
  for (const names of lists) index.follow(names.map(source))
  t.same(read, ['a', 'b', 'c'])
  t.same([...index.rules.keys()], ['https://b.test', 'https://c.test'])
})

t.test('a plain host is spelt as the URL parser spells it', async (t) => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
  const host = fc.tuple(fc.array(label, { minLength: 1, maxLength: 4 }), fc.stringMatching(/^[a-z0-9]{1,6}$/)).map(([labels, last]) => [...labels, last].join('.'))
  fc.assert(fc.property(fc.constantFrom('https://', 'http://', ''), host, (scheme, name) => {
    const url = `${scheme || 'https://'}${name}`
    return parseDomain(scheme + name) === (URL.canParse(url) ? new URL(url).origin : null)
  }), { numRuns: 2_000 })
  t.pass('2 000 hosts')
})
