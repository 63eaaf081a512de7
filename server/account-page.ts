import { readFileSync } from 'node:fs'

import type { FastifyInstance } from 'fastify'

import { routeScope } from '../lib/http/route-scope.js'
import { protectPages } from './page-headers.js'

/** Path of the page that the links in mails open. */
export const ACCOUNT_PATH = '/account'

const TYPES: Readonly<Record<string, string>> = {
  'account.html': 'text/html; charset=utf-8',
  'account.css': 'text/css; charset=utf-8',
  'account.js': 'text/javascript; charset=utf-8'
}

/** Registers the page that accepts invitations, sets passwords and confirms emails. It contains no data. */
export async function accountPage (app: FastifyInstance): Promise<void> {
  await routeScope(app, {}, async (scope) => {
    await protectPages(scope)
    for (const [name, type] of Object.entries(TYPES)) {
      const content = readFileSync(new URL(`../web/account/${name}`, import.meta.url))
      const path = name.endsWith('.html') ? ACCOUNT_PATH : `${ACCOUNT_PATH}/${name}`
      scope.get(path, (_request, reply) => reply.header('Cache-Control', 'no-cache').type(type).send(content))
    }
  })
}
