import { readFile } from 'node:fs/promises'

import t from 'tap'

import { withVariables } from '../helpers/server-variables.js'

t.test('docs/server.md lists the variables of the server as the schema has them', async (t) => {
  const page = await readFile(new URL('../../docs/server.md', import.meta.url), 'utf8')
  t.equal(page, withVariables(page), 'run npm run docs')
  t.match(page, '- **`PORT`**: ')
})
