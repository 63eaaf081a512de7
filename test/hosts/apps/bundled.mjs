// A host that esbuild bundles into one file. A CommonJS bundle allows no `await` outside functions.
import Fastify from 'fastify'

import { guardedRoute, registerSuite, statuses } from './suite.mjs'

async function host () {
  const app = Fastify()
  registerSuite(app)
  guardedRoute(app)
  await app.ready()
  process.stdout.write(JSON.stringify(await statuses(app)))
  await app.close()
}

host()
