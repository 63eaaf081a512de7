import { isIP } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

import fc from 'fast-check'
import t from 'tap'

import { OriginIndex } from '../../../lib/cors/origin-index.js'
import { parseDomain } from '../../../lib/cors/domain.js'
import { compileOrigins, matchesOrigin } from '../../../lib/cors/origin-rules.js'
import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import { freezeOrigins } from '../../../plugins/token-store/source-settings.js'
import type { SourceOrigins } from '../../../contracts/token-store/index.js'
import { makeSource } from '../../helpers/source.js'
import { parseUrl } from '../../../signing/parse-url.js'

const ORIGINS = ['https://a.test', 'https://x.a.test', 'http://a.test', 'https://b.test:8443', 'capacitor://localhost',
  'null', 'https://other.test', 'https://*.a.test', '']

const NONE = { domains: [], allowAnyOrigin: false, allowNullOrigin: false }
const ANY = { domains: [], allowAnyOrigin: true, allowNullOrigin: true }

const aSource = fc.record({
  domains: fc.array(
    fc.constantFrom(
      'a.test',
      '*.a.test',
      'http://a.test',
      'https://b.test:8443',
      'capacitor://localhost',
      'no domain',
      'a.test\nb.test'
    )
  ),
  allowAnyOrigin: fc.boolean(),
  allowNullOrigin: fc.boolean()
})
// Most sources list only their own pages.
const usual = aSource.map(({ domains }) => ({ ...NONE, domains }))
const oneOf = fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: aSource })
const lists = fc.array(fc.array(oneOf, { maxLength: 6 }), { minLength: 1, maxLength: 8 })

t.test('after any sequence of lists the index matches each origin by the last list', async (t) => {
  await fc.assert(
    fc.asyncProperty(lists, async (history) => {
      const index = new OriginIndex()
      for (const list of history.map(frozen)) {
        for (const origin of ORIGINS) {
          if (await index.allows(list, origin) !== matchesOrigin(compileOrigins(list), origin)) return false
        }
      }
      return true
    }),
    { numRuns: 500 }
  )
  t.pass('500 histories')
})

t.test('while other lists are compiled a query uses its own list', async (t) => {
  const question = fc.record({ at: fc.nat(), turns: fc.nat({ max: 3 }), origin: fc.constantFrom(...ORIGINS) })
  const asked = fc.array(question, { minLength: 2, maxLength: 10 })
  await fc.assert(
    fc.asyncProperty(lists, asked, async (history, questions) => {
      const index = new OriginIndex()
      // The compilation of each list needs more than one slice.
      const own = history.map((sources, at) => frozen([...sources, ...manySources(15, `list-${at}`)]))
      const answers: Array<boolean | Promise<boolean>> = []
      const expected: boolean[] = []
      for (const { at, turns, origin } of questions) {
        const list = own[at % own.length] ?? []
        answers.push(index.allows(list, origin))
        expected.push(matchesOrigin(compileOrigins(list), origin))
        for (let passed = 0; passed < turns; passed++) await turn()
      }
      return (await Promise.all(answers)).every((answer, at) => answer === expected[at])
    }),
    { numRuns: 100 }
  )
  t.pass('100 histories')
})

t.test('the event loop runs other work after each thousand domains, of one list or of several', async (t) => {
  for (const sizes of [[100], [3, 3, 3, 3, 3, 3]]) {
    const index = new OriginIndex()
    let compiled = 0
    const between: number[] = []
    const done = new AbortController()
    const answers = Promise.all(sizes.map((size, at) => {
      const sources = manySources(size, `list-${at}`).map((source) =>
        observed(source, () => {
          compiled += 100
        })
      )
      return index.allows(Object.freeze(sources), `https://page-0.source-0.list-${at}.test`)
    })).finally(() => done.abort())
    while (!done.signal.aborted) {
      compiled = 0
      await turn()
      between.push(compiled)
    }
    t.same(await answers, sizes.map(() => true))
    t.equal(between.reduce((sum, count) => sum + count, 0), 100 * sizes.reduce((sum, size) => sum + size, 0))
    t.ok(Math.max(...between) <= 1_100, `${Math.max(...between)} between two turns`)
  }
})

t.test('a refreshed list compiles only the sources whose settings are new', async (t) => {
  const index = new OriginIndex()
  const read: string[] = []
  const source = (name: string) => observed({ ...NONE, domains: [`${name}.test`] }, () => read.push(name))
  const lists = [['a', 'b'], ['a', 'b'], ['b', 'c'], ['b', 'b', 'c']].map((names) => Object.freeze(names.map(source)))
  for (const list of lists) await index.allows(list, 'https://b.test')
  t.same(read, ['a', 'b', 'c'])
  const last = lists.at(-1) ?? []
  t.same(['a', 'b', 'c'].map((name) => index.allows(last, `https://${name}.test`)), [false, true, true])
})

t.test('a source that is in the next list as the same frozen object is not read again', async (t) => {
  const index = new OriginIndex()
  let texts = 0
  const domains = ['a.test']
  // JSON.stringify calls toJSON.
  Object.defineProperty(domains, 'toJSON', {
    value: () => {
      texts++
      return [...domains]
    }
  })
  const source = Object.freeze({ ...NONE, domains: Object.freeze(domains) })
  t.equal(await index.allows(Object.freeze([source]), 'https://a.test'), true)
  t.equal(await index.allows(Object.freeze([source, ...frozen(manySources(1, 'b'))]), 'https://a.test'), true)
  t.equal(texts, 1)
  const store = memoryStore()
  const kept = await makeSource(store, { domains: ['a.test'] })
  const other = await makeSource(store, { domains: ['b.test'] })
  const before = await store.sources.origins()
  await store.sources.update('acme', other.source.id, { domains: ['c.test'] })
  const after = await store.sources.origins()
  t.equal(after[0], before[0], 'the memory store returns the same object')
  t.not(after[1], before[1])
  await store.sources.update('acme', kept.source.id, { domains: ['d.test'] })
  t.same((await store.sources.origins()).map(({ domains }) => domains), [['d.test'], ['c.test']])
})

t.test('a list that fails rejects for its own callers and does not affect other lists', async (t) => {
  const index = new OriginIndex()
  const bad = frozen([...manySources(15, 'bad'), { ...ANY, domains: [null as never] }])
  const good = frozen(manySources(15, 'good'))
  const page = 'https://page-0.source-0.good.test'
  const [refused, admitted] = await Promise.allSettled([index.allows(bad, page), index.allows(good, page)])
  t.equal(refused.status, 'rejected')
  t.same(admitted, { status: 'fulfilled', value: true })
  t.equal(await index.allows(good, 'https://page-0.source-0.bad.test'), false)
})

t.test('a plain host is spelt as the URL parser spells it', async (t) => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
  const labels = fc.array(label, { minLength: 1, maxLength: 4 })
  const host = fc.tuple(labels, fc.stringMatching(/^[a-z0-9]{1,6}$/)).map(([before, last]) =>
    [...before, last].join('.')
  )
  const parts = [fc.constantFrom('https://', 'http://', ''), fc.constantFrom('', '*.'), host] as const
  fc.assert(
    fc.property(...parts, (scheme, wildcard, name) => {
      const text = `${scheme || 'https://'}${name}`
      const url = parseUrl(text)
      const isNone = url === null || (wildcard !== '' && isIP(url.hostname) !== 0)
      return parseDomain(scheme + wildcard + name) === (isNone ? null : `${url.protocol}//${wildcard}${url.host}`)
    }),
    { numRuns: 2_000 }
  )
  t.pass('2 000 hosts')
})

function frozen (sources: readonly SourceOrigins[]): readonly SourceOrigins[] {
  return Object.freeze(sources.map(freezeOrigins))
}

/** Sources with 100 domains each. */
function manySources (count: number, name: string): SourceOrigins[] {
  return Array.from({ length: count }, (_, at) => {
    return { ...NONE, domains: Array.from({ length: 100 }, (_, page) => `page-${page}.source-${at}.${name}.test`) }
  })
}

/** The source, with a callback for its compilation, which iterates the domains. */
function observed (source: SourceOrigins, onRead: () => void): SourceOrigins {
  const domains = [...source.domains]
  const iterate = domains[Symbol.iterator].bind(domains)
  Object.defineProperty(domains, Symbol.iterator, {
    value: () => {
      onRead()
      return iterate()
    }
  })
  return { ...source, domains }
}
