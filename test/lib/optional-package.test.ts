import t from 'tap'

import { importOptional, importOptionalLater } from '../../lib/optional-package.js'

t.test('a missing package is an error with the install command', async (t) => {
  const absent = 'no-such-package-here'
  await t.rejects(importOptional(absent, () => import(absent), 'The widget'), {
    message:
      'The widget needs the package "no-such-package-here", which is not installed: npm install no-such-package-here'
  })
  await t.rejects(importOptional(absent, async () => import.meta.resolve(absent), 'The widget'), /npm install/)
})

t.test('a broken package throws its own error', async (t) => {
  const load = () =>
    Promise.reject(
      Object.assign(new Error("Cannot find package 'left-pad' imported from widget"), { code: 'ERR_MODULE_NOT_FOUND' })
    )
  await t.rejects(importOptional('widget', load, 'The widget'), {
    message: "Cannot find package 'left-pad' imported from widget"
  })
})

t.test('an installed package is returned', async (t) => {
  t.equal((await importOptional('tap', () => import('tap'), 'The test')).default, t.parent)
})

t.test('a package for later is imported at the first call, and missed at once', async (t) => {
  let imports = 0
  const load = await importOptionalLater('tap', async () => {
    imports++
    return await import('tap')
  }, 'The test')
  t.equal(imports, 0)
  t.equal((await load()).default, t.parent)
  t.equal(imports, 1)

  const absent = 'no-such-package-here'
  await t.rejects(importOptionalLater(absent, () => import(absent), 'The widget'), {
    message: 'The widget needs the package "no-such-package-here", which is not installed: npm install no-such-package-here'
  })
})

t.test('a package that is part of a bundle is imported at the first call as well', async (t) => {
  const load = await importOptionalLater('no-such-package-here', async () => 'bundled', 'The widget')
  t.equal(await load(), 'bundled')
})
