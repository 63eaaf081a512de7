// Writes web/console/src/api.d.ts, the types of the admin API, from the OpenAPI document of the built-in server. Run:
// npm run docs
import { writeFileSync } from 'node:fs'

import { consoleTypes } from '../test/helpers/console-types.js'

writeFileSync(new URL('../web/console/src/api.d.ts', import.meta.url), await consoleTypes())
