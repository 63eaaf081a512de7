import t from 'tap'

import { importOptional } from '../../lib/optional-package.js'

t.test('a package that is not installed is an error that says what to install', async (t) => {
  const absent = 'no-such-package-here'
  await t.rejects(importOptional(absent, () => import(absent), 'The widget'), {
    message:
      'The widget needs the package "no-such-package-here", which is not installed: npm install no-such-package-here'
  })
  await t.rejects(importOptional(absent, async () => import.meta.resolve(absent), 'The widget'), /npm install/)
})

t.test('a package that is there but broken says so itself', async (t) => {
  const load = () =>
    Promise.reject(
      Object.assign(new Error("Cannot find package 'left-pad' imported from widget"), { code: 'ERR_MODULE_NOT_FOUND' })
    )
  await t.rejects(importOptional('widget', load, 'The widget'), {
    message: "Cannot find package 'left-pad' imported from widget"
  })
})

t.test('a package that is there is given', async (t) => {
  t.equal((await importOptional('tap', () => import('tap'), 'The test')).default, t.parent)
})
