import t from 'tap'

import { docsPages, sourcesByEntry } from '../helpers/docs-pages.js'
import { docsProgram } from '../helpers/docs-program.js'
import { optionTables } from '../helpers/option-tables.js'

/** Types that are parts of a documented type, or whose members belong to another package. */
const NOT_IN_A_TABLE = [
  'AdminScopeOptions',
  'AdminTokensOptions',
  'CaptchaOptions',
  'CommonCaptchaOptions',
  'DatabrainTokenOptions',
  'GroupCommitOptions',
  'KeepingOptions',
  'LookupCacheOptions',
  'PublicErrorOptions',
  'RateLimitOptions',
  'SsoOptions',
  'UpstreamClientOptions'
]

const pages = await docsPages()
const program = docsProgram(pages, await sourcesByEntry())
const tables = pages.flatMap(optionTables)

t.test('the code of every page compiles against the package', async (t) => {
  for (const { path } of pages) t.same(program.errorsOf(path), [], path)
  t.ok(pages.reduce((sum, { path }) => sum + program.checked(path), 0) > 50)
})

t.test('each option table lists exactly the options of its type', async (t) => {
  t.ok(tables.length > 0)
  for (const { path, type, rows } of tables) {
    const members = program.options.get(type)
    if (members === undefined) t.fail(`${path}: the package exports no ${type}`)
    else t.same(rows.map(({ name }) => name).sort(), members.map(({ name }) => name).sort(), `${path}: ${type}`)
  }
})

t.test('the default of an option in a table is the one that its documentation comment names', async (t) => {
  let compared = 0
  for (const { path, type, rows } of tables) {
    for (const { name, fallback } of rows) {
      const named = literalOf(program.options.get(type)?.find((member) => member.name === name)?.fallback)
      if (named === undefined) continue
      compared++
      t.equal(literalOf(fallback), named, `${path}: ${type}.${name}`)
    }
  }
  t.ok(compared > 50)
})

t.test('every exported type of options has one table', async (t) => {
  const documented = tables.map(({ type }) => type)
  t.same([...program.options.keys()].filter((type) => !documented.includes(type)).sort(), NOT_IN_A_TABLE)
  t.same(documented.filter((type, at) => documented.indexOf(type) !== at), [])
})

/** A number, a string or a boolean at the beginning of a text, in one spelling. */
function literalOf (text: string | undefined): string | undefined {
  const plain = text?.replaceAll('`', '').trim() ?? ''
  const number = /^\d[\d ,_]*(?:\.\d+)?/.exec(plain)?.[0].replace(/[ ,_]/g, '')
  return number ?? /^(?:'[^']*'|true\b|false\b|\/[\w/-]+)/.exec(plain)?.[0]
}
