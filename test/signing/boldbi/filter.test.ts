import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'

import { EmbedFilter, embedFilter } from '../../../signing/boldbi/filter.js'
import type { EmbedFilters } from '../../../signing/boldbi/filter.js'
import type { EmbedIdentity } from '../../../signing/boldbi/identity.js'
import { parseEmbedQuery } from '../../../signing/boldbi/query.js'
import { buildEmbedQuery } from '../../../signing/boldbi/signature.js'
import { readDecodedFirst, readSplitFirst } from '../../helpers/boldbi-filters.js'
import type { ReadFilter } from '../../helpers/boldbi-filters.js'

const QUERY = parseEmbedQuery('embed_nonce=1&embed_mode=view')
const {
  isIn,
  isNotIn,
  between,
  notBetween,
  startsWith,
  endsWith,
  contains,
  isNot,
  greaterThan,
  atLeast,
  lessThan,
  atMost
} = embedFilter

function build (identity: EmbedIdentity): string {
  return buildEmbedQuery(QUERY, identity, 1_756_891_690)
}

/** The conditions of one field, decoded. */
function written (filter: EmbedFilters[string]): string {
  const [, text = ''] =
    /embed_datasource_filter=\[\{&(.*)\}\]/.exec(
      decodeURIComponent(build({ email: 'a@b.c', datasourceFilter: { fields: { Amount: filter } } }))
    ) ?? []
  return text
}

t.test('each condition is written as Bold BI documents it', async (t) => {
  t.equal(written('EU'), 'Amount=EU')
  t.equal(written(5), 'Amount=5')
  t.equal(written(['EU', 7]), 'Amount=IN(EU,7)')
  t.equal(written(isIn(['EU', 'US'])), 'Amount=IN(EU,US)')
  t.equal(written(isNotIn([1, -2.5])), 'Amount=NOTIN(1,-2.5)')
  t.equal(written(between(1, 5)), 'Amount=BETWEEN(1,5)')
  t.equal(written(notBetween(1, 5)), 'Amount=NOTBETWEEN(1,5)')
  t.equal(written(startsWith('Al')), 'Amount=STARTSWITH(Al)')
  t.equal(written(endsWith('fa')), 'Amount=ENDSWITH(fa)')
  t.equal(written(contains('lf')), 'Amount=CONTAINS(lf)')
  t.equal(written(isNot(3)), 'Amount!=3')
  t.equal(written(greaterThan(3)), 'Amount>3')
  t.equal(written(atLeast(3)), 'Amount>=3')
  t.equal(written(lessThan(0)), 'Amount<0')
  t.equal(written(atMost(3)), 'Amount<=3')
})

t.test('a range of times is in UTC, to the minute, and never wider than the given range', async (t) => {
  t.equal(
    written(between(new Date('2026-01-31T00:00:00Z'), new Date('2026-02-01T12:05:59Z'))),
    'Amount=BETWEEN(1/31/2026 12:00 AM,2/1/2026 12:05 PM)'
  )
  t.equal(
    written(between(new Date('2025-12-31T23:59:00.001Z'), new Date('2026-11-09T13:00:00Z'))),
    'Amount=BETWEEN(1/1/2026 12:00 AM,11/9/2026 1:00 PM)'
  )
})

t.test('a condition that could be read as no condition or as another is refused, and its value is ' +
  'not shown', async (t) => {
  const wrong: unknown[] = [
    '',
    ' ',
    [],
    [''],
    ['a', ' '],
    null,
    undefined,
    true,
    {},
    { operator: 'IN', values: ['a'] },
    NaN,
    Infinity,
    1e21,
    1e-7,
    [NaN],
    [null],
    [['a']],
    new Date(),
    isIn([]),
    isIn('hunter2' as never),
    isIn([{} as never]),
    isIn([new Date() as never]),
    isNotIn([]),
    between(5, 1),
    notBetween(5, 1),
    notBetween(NaN, 1),
    notBetween('1' as never, '2' as never),
    between(1, new Date() as never),
    between(new Date(NaN), new Date()),
    between(new Date(2), new Date(1)),
    between(new Date(-1e15), new Date()),
    notBetween(new Date(1) as never, new Date(2) as never),
    startsWith(''),
    startsWith(5 as never),
    contains(['a'] as never),
    greaterThan('5' as never),
    lessThan(NaN),
    isNot('hunter2' as never),
    new EmbedFilter('OR' as never, ['x']),
    new EmbedFilter('__proto__' as never, ['x']),
    new EmbedFilter('=', []),
    new EmbedFilter('=', ['a', 'b'])
  ]
  for (const given of wrong) {
    t.throws(() => written(given as string), {
      name: 'TypeError',
      message: /^datasourceFilter\.fields\["Amount"\]: (?!.*hunter2)/
    }, JSON.stringify(given))
  }
  for (const syntax of '#[]{}~=\r\n\0') {
    for (
      const filter of [`a${syntax}b`, [`a${syntax}`], isIn([`${syntax}a`]), isNotIn(['a', `a${syntax}b`]),
        startsWith(`a${syntax}`), endsWith(`${syntax}a`), contains(`a${syntax}a`)]
    ) {
      t.throws(
        () => written(filter),
        { name: 'TypeError', message: /^datasourceFilter\.fields\["Amount"\]: / },
        JSON.stringify(filter)
      )
    }
  }
})

t.test('",", "&" and "|" in a value are enclosed in tildes, as Bold BI documents it', async (t) => {
  t.equal(written('Johnson & Johnson'), 'Amount=Johnson ~&~ Johnson')
  t.equal(written('Syncfusion Inc,'), 'Amount=Syncfusion Inc~,~')
  t.equal(written('& Other Stories'), 'Amount=~&~ Other Stories')
  t.equal(written('a|b||c'), 'Amount=a~|~b~|~~|~c')
  t.equal(written(['Smith, Barney', 'AT&T']), 'Amount=IN(Smith~,~ Barney,AT~&~T)')
  t.equal(written(isNotIn(['a,b'])), 'Amount=NOTIN(a~,~b)')
  t.equal(written(startsWith('a,')), 'Amount=STARTSWITH(a~,~)')
  t.equal(written(endsWith('& Co')), 'Amount=ENDSWITH(~&~ Co)')
  t.equal(written(contains('&')), 'Amount=CONTAINS(~&~)')
})

t.test('a value with parentheses or angle brackets is enclosed in square brackets if Bold BI ' +
  'documents that', async (t) => {
  t.equal(written('Acme (EU)'), 'Amount=[Acme (EU)]')
  t.equal(written('IN(EU,US)'), 'Amount=[IN(EU~,~US)]')
  t.equal(written(['Acme (EU)', 'a < b > c', 'plain']), 'Amount=IN([Acme (EU)],[a < b > c],plain)')
  for (const character of '()<>') {
    for (
      const filter of [isNotIn([`a${character}`]), startsWith(`a${character}`), endsWith(`a${character}`),
        contains(`a${character}`)]
    ) {
      t.throws(() => written(filter), {
        message: /^datasourceFilter\.fields\["Amount"\]: must not contain "[()<>]": Bold BI documents an escape/
      })
    }
  }
})

t.test('the error for a refused character names the field and the reason, and does not contain ' +
  'the value', async (t) => {
  const message = 'datasourceFilter.fields["Amount"]: must not contain "~": Bold BI documents no escape for it'
  t.throws(() => written('hunter2 ~ x'), { name: 'TypeError', message })
  // The comma between the two would be enclosed in tildes as well.
  for (const list of [['a,', ',b'], ['a&', '|b'], isNotIn(['x', '|', '&'])]) {
    t.throws(() => written(list), { message: /^datasourceFilter\.fields\["Amount"\]: a value that ends with/ })
  }
})

t.test('a percent-encoded character is refused, because a second decoding would find syntax in it', async (t) => {
  const refused = { name: 'TypeError', message: /: must not contain a percent-encoded character such as "%26"$/ }
  const values = ['EU%26Region%3DUS', 'EU%2526Region', '%7E', 'a%2C', 'a%5d%7d', 'a%u0026b', 'Hunter%0A2']
  for (const value of values) {
    for (const filter of [value, ['x', value], isNotIn([value]), startsWith(value)]) {
      t.throws(() => written(filter), refused, value)
    }
    t.throws(() => build({ email: 'a@b.c', datasourceFilter: { parameters: { Region: value } } }), refused, value)
    t.throws(() => build({ email: 'a@b.c', datasourceFilter: { fields: { [value]: 'EU' } } }), refused, value)
    t.throws(() => build({ email: `${value}@b.c` }), refused, value)
    t.throws(() => build({ email: 'a@b.c', customAttributes: { region: value } }), refused, value)
    t.throws(() => build({ email: 'a@b.c', anonymous: { group: value } }), refused, value)
  }
  for (const value of ['100%', '50 % off', '%', 'a%zz', '5%é']) t.equal(written(value), `Amount=${value}`)
})

t.test('a dashboard parameter accepts a value, isIn and isNotIn, and no character that ends a string ' +
  'in a query', async (t) => {
  const parameter = (value: EmbedFilters[string]) =>
    build({ email: 'a@b.c', datasourceFilter: { parameters: { Region: value } } })
  t.match(parameter(isIn(['EU', 'US'])), '&embed_datasource_filter=[{&&Region=IN(EU,US)}]')
  t.match(parameter(isNotIn([1, 2])), '&embed_datasource_filter=[{&&Region=NOTIN(1,2)}]')
  t.match(parameter('Johnson & Johnson'), '&embed_datasource_filter=[{&&Region=Johnson%20~&~%20Johnson}]')
  for (const filter of [between(1, 2), greaterThan(1), startsWith('a')]) {
    t.throws(() => parameter(filter), { message: /^datasourceFilter\.parameters\["Region"\]: / })
  }
  for (const value of ['Acme (EU)', 'a<b', 'a>b']) {
    t.throws(() => parameter(value), { message: /^datasourceFilter\.parameters\["Region"\]: / })
  }
  for (const value of ["x' OR '1'='1", "Trousers','Jackets", 'a"', 'a`', 'a;b', 'a\\']) {
    t.throws(() => parameter(value), { message: /^datasourceFilter\.parameters\["Region"\]: / }, value)
  }
})

t.test('a name that Bold BI takes for a setting, or that changes the condition, is refused', async (t) => {
  for (
    const name of ['id', 'Export', 'bi_theme', ' views ', 'embed_user_email', 'EMBED_x', 'a=b', 'a>', 'a<', 'a!', 'a|b',
      '~a', 'a&b', 'a,b', '[a', '', ' ']
  ) {
    for (const place of ['fields', 'parameters']) {
      t.throws(
        () => build({ email: 'a@b.c', datasourceFilter: { [place]: { [name]: 'x' } } }),
        { name: 'TypeError' },
        name
      )
    }
  }
  for (const name of ['Northwind.id', 'YEAR(OrderDate)', 'Ship Country', '@proc', 'identity']) {
    t.ok(build({ email: 'a@b.c', datasourceFilter: { fields: { [name]: 'x' } } }))
  }
})

const WORDS = [
  '|',
  '||',
  '&',
  '&&',
  '~,~',
  '=',
  'IN(',
  ')',
  'NOTIN(',
  ',',
  '}]',
  '[{',
  'embed_user_email=',
  'Region',
  '%26',
  '%7C',
  '%',
  "'",
  '"',
  '\\',
  '\r\n',
  '\0',
  '\ud800',
  '(',
  '<',
  '>',
  '~',
  '[',
  ']',
  '[x]',
  '~&~',
  ' ',
  'EU',
  'é',
  '🙂'
]
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 6 }).map((parts) => parts.join('')),
  fc.constantFrom('EU', 'Óbidos', 'a b')
)
const number = fc.oneof(fc.integer(), fc.double())
const value = fc.oneof(text, text, number)
const values = fc.array(value, { maxLength: 3 })
const range = fc.tuple(number, number)
const condition: fc.Arbitrary<EmbedFilters[string]> = fc.oneof(
  value,
  values,
  values.map(isIn),
  values.map(isNotIn),
  text.map(startsWith),
  text.map(endsWith),
  text.map(contains),
  range.map(([from, to]) => between(from, to)),
  range.map(([from, to]) => notBetween(from, to)),
  number.map(isNot),
  number.map(greaterThan),
  number.map(atLeast),
  number.map(lessThan),
  number.map(atMost)
)
const filters = fc.dictionary(fc.oneof(fc.constantFrom('Region', 'Ship Country', 'Northwind.Id'), text), condition, {
  maxKeys: 3
})
const identity = fc.record({
  email: fc.oneof(fc.constant('jo@example.com'), text),
  datasourceFilter: fc.record({ parameters: filters, fields: filters }, { requiredKeys: [] }),
  customAttributes: fc.dictionary(text, text, { maxKeys: 2 })
})

/** The given filters in the form that a reader returns. */
function meant ({ parameters = {}, fields = {} }: NonNullable<EmbedIdentity['datasourceFilter']>): ReadFilter[] {
  return (['parameter', 'field'] as const).flatMap((kind) =>
    Object.entries(kind === 'parameter' ? parameters : fields).map(([name, given]) => {
      const filter = given instanceof EmbedFilter
        ? given
        : { operator: Array.isArray(given) ? 'IN' : '=', values: Array.isArray(given) ? given : [given] }
      return { kind, name, operator: filter.operator, values: filter.values.map(String) }
    })
  )
}

t.test('every value is refused or stays one value, whether a server splits first or decodes first', async (t) => {
  let built = 0
  const check = (identity: EmbedIdentity & { email: string, datasourceFilter: object }) => {
    let query: string
    try {
      query = build(identity)
    } catch (error) {
      if (error instanceof TypeError) return
      throw error
    }
    built++
    for (const read of [readDecodedFirst, readSplitFirst]) {
      const { keys, filters, attributes, hasAlternative } = read(query)
      assert.deepEqual([...keys].filter(([, all]) => all.length > 1), [])
      assert.deepEqual([...keys.keys()], ['embed_nonce', 'embed_mode', 'embed_user_email', 'embed_server_timestamp'])
      assert.equal(keys.get('embed_user_email')?.[0], identity.email)
      assert.equal(hasAlternative, false)
      assert.deepEqual(filters, meant(identity.datasourceFilter))
      assert.deepEqual(attributes ?? {}, { ...identity.customAttributes })
    }
  }
  fc.assert(
    fc.property(identity, (given) => {
      check(given)
      // A single filter is accepted more often.
      const email = 'jo@example.com'
      for (const place of ['parameters', 'fields'] as const) {
        for (const [name, filter] of Object.entries(given.datasourceFilter[place] ?? {})) {
          check({ email, datasourceFilter: { [place]: { [name]: filter } } })
        }
        for (const filter of Object.values(given.datasourceFilter[place] ?? {})) {
          check({ email, datasourceFilter: { [place]: { Region: filter } } })
        }
      }
    }),
    { numRuns: 2_000 }
  )
  t.ok(built > 1_000, `${built} were built`)
})
