import { readFileSync } from 'node:fs'
import { extname } from 'node:path'

import type { FastifyInstance } from 'fastify'

import { routeScope } from '../lib/http/route-scope.js'
import { packageFile } from '../lib/package-file.js'
import { protectPages } from './page-headers.js'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8'
}

/**
 * Registers a page that contains no data: `web/<name>/<name>.html` at `/<name>`, and its `.css` and `.js` below it.
 */
export async function staticPage (app: FastifyInstance, name: string): Promise<void> {
  await routeScope(app, {}, async (scope) => {
    await protectPages(scope)
    for (const file of [`${name}.html`, `${name}.css`, `${name}.js`]) {
      const content = readFileSync(packageFile(`web/${name}/${file}`))
      const type = TYPES[extname(file)] ?? ''
      const path = file.endsWith('.html') ? `/${name}` : `/${name}/${file}`
      scope.get(path, (_request, reply) => reply.header('Cache-Control', 'no-cache').type(type).send(content))
    }
  })
}
