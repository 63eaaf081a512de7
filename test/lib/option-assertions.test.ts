import t from 'tap'

import { assertBoolean, assertNonEmpty, assertWholeNumber, optionAssertion } from '../../lib/options.js'
import type { AssertOption } from '../../lib/options.js'

t.test('an error for an invalid option names the option and its value', async (t) => {
  const assertOption: AssertOption = optionAssertion('signature')
  for (
    const [got, shown] of [['x', '"x"'], [NaN, 'NaN'], [null, 'null'], [undefined, 'undefined'], [{ key: 1 },
      'an object'], [['x'], 'a list'], [() => 1, 'a function']]
  ) {
    t.throws(() => {
      assertOption(false, 'tolerance', 'a number', got)
    }, { code: 'INVALID_OPTIONS', message: `signature: "tolerance" must be a number; got ${String(shown)}` })
  }
  t.throws(
    () => {
      assertOption(false, 'key', 'a key')
    },
    { message: /must be a key$/ },
    'without a value the message ends here'
  )
  t.throws(() => {
    assertOption(false, 'name', 'a name', 'x'.repeat(500))
  }, { message: /got "x{40}…"$/ })
  t.doesNotThrow(() => {
    assertOption(true, 'tolerance', 'a number', 1)
  })
})

t.test('assertWholeNumber checks the bounds and names the unit, and assertNonEmpty refuses an empty string', async (t) => {
  for (const value of [0, 1.5, '5', NaN, Infinity, null]) {
    t.throws(
      () => {
        assertWholeNumber('sink', 'max', value)
      },
      { code: 'INVALID_OPTIONS' },
      String(value)
    )
  }
  for (const value of [1, Number.MAX_SAFE_INTEGER]) {
    t.doesNotThrow(() => {
      assertWholeNumber('sink', 'max', value)
    })
  }
  t.throws(() => {
    assertWholeNumber('sink', 'wait', -1, { min: 0, max: 9, unit: 'milliseconds' })
  }, { message: 'sink: "wait" must be a whole number of milliseconds, 0 to 9; got -1' })
  t.throws(() => {
    assertWholeNumber('sink', 'wait', 'x', { min: 0, unit: 'milliseconds' })
  }, { message: 'sink: "wait" must be a whole number of milliseconds, 0 or more; got "x"' })
  for (const value of ['', 1, undefined]) {
    t.throws(() => {
      assertNonEmpty('audit-log', 'orgId', value)
    }, { message: /^audit-log: "orgId" must be a non-empty string; got / })
  }
  t.doesNotThrow(() => {
    assertNonEmpty('audit-log', 'orgId', ' ')
  })
})

t.test('a boolean option is true or false, and no value that JavaScript converts to a boolean', async (t) => {
  for (const [value, shown] of [['true', '"true"'], [0, '0'], [null, 'null'], [undefined, 'undefined']]) {
    t.throws(() => {
      assertBoolean('require-https', 'global', value)
    }, { code: 'INVALID_OPTIONS', message: `require-https: "global" must be true or false; got ${String(shown)}` })
  }
  for (const value of [true, false]) {
    t.doesNotThrow(() => {
      assertBoolean('require-https', 'global', value)
    })
  }
})
