import fc from 'fast-check'
import t from 'tap'

import { canonicalDashboard } from '../../../signing/boldbi/dashboard-name.js'
import * as signing from '../../../signing/index.js'
import { stringWork } from '../../helpers/string-work.js'

const GUID = 'c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff'

t.test('every spelling of a GUID is normalised to lower case with four dashes', async (t) => {
  const compact = GUID.replaceAll('-', '')
  const every = [GUID, compact, `{${GUID}}`, `(${GUID})`, `{${compact}}`, ` ${GUID}\t`, `/${GUID}/`,
    'c5ba-b292-0ee6-4ee7-9dfa-d6b3-cffe-d7ff', `${compact}--`]
  for (const spelling of every.flatMap((text) => [text, text.toUpperCase()])) {
    t.equal(canonicalDashboard(spelling), GUID, spelling)
  }
  for (const other of [compact.slice(1), `${compact}0`, compact.replace('c', 'g'), `${compact}/x`]) {
    t.not(canonicalDashboard(other), GUID, other)
  }
  t.equal(signing.canonicalDashboard(GUID), GUID, 'the package exports it')
})

t.test('every spelling of a path is normalised to lower case, single slashes and no spaces ' +
  'around folders', async (t) => {
  for (
    const path of ['sales/été 1', '/Sales/Été 1', 'SALES/ÉTÉ 1/', ' //Sales///Été 1// ', 'sales / été 1',
      '/ sales/\u00a0été 1', 'Sales/E\u0301te\u0301 1', '／Ｓales/Été １']
  ) {
    t.equal(canonicalDashboard(path), 'sales/été 1', path)
  }
  for (const other of ['sales/été1', 'sales/ete 1', 'salesété 1', 'sales/été 1/x', 'x/sales/été 1']) {
    t.not(canonicalDashboard(other), 'sales/été 1', other)
  }
  for (const nothing of ['', ' ', '/', '// / /']) t.equal(canonicalDashboard(nothing), '', JSON.stringify(nothing))
})

t.test('normalising a normalised name does not change it', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) =>
      canonicalDashboard(canonicalDashboard(text)) === canonicalDashboard(text)),
    { numRuns: 2_000 }
  )
  t.pass()
})

t.test('a name of 500 KB is read a few times, and at most 1 024 characters are normalised', async (t) => {
  const texts = ['/', ' ', '/ ', '-', '{', 'a', 'A/', '\u0315\u0316', 'İ', '\ufdfa', '0'].map((unit) =>
    `a${unit.repeat(500_000 / unit.length)}a`
  )
  for (const text of texts) {
    const { normalized, read } = await stringWork(() => canonicalDashboard(text))
    t.ok(normalized <= 1_024, `${normalized} characters are normalized`)
    t.ok(read < 10 * text.length, `${read} characters of ${text.length} are read`)
  }
})
