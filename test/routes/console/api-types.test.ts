import { readFile } from 'node:fs/promises'

import t from 'tap'

import { consoleTypes } from '../../helpers/console-types.js'

const FILE = new URL('../../../web/console/src/api.d.ts', import.meta.url)

t.test('the types of the console are those of the admin API: else run `npm run docs`', async (t) => {
  t.equal(await readFile(FILE, 'utf8'), await consoleTypes())
})
