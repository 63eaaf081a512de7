// Writes docs/permissions.md from the routes. Run: npm run docs
import { writeFileSync } from 'node:fs'

import { permissionsPage } from '../test/helpers/admin-routes.js'

writeFileSync(new URL('../docs/permissions.md', import.meta.url), await permissionsPage())
