// Writes the list of variables in docs/server.md. Run: npm run docs
import { readFileSync, writeFileSync } from 'node:fs'

import { withVariables } from '../test/helpers/server-variables.js'

const page = new URL('../docs/server.md', import.meta.url)
writeFileSync(page, withVariables(readFileSync(page, 'utf8')))
