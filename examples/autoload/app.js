// The folders of fastify-cli: plugins/ decorates the app, routes/ has one folder per prefix.
import { join } from 'node:path'

import autoload from '@fastify/autoload'
import Fastify from 'fastify'

/**
 * The plugin that `fastify start app.js` registers.
 *
 * @param {import('fastify').FastifyInstance} app
 * @param {object} options
 */
export default async function start (app, options) {
  await app.register(autoload, { dir: join(import.meta.dirname, 'plugins'), options: { ...options } })
  await app.register(autoload, { dir: join(import.meta.dirname, 'routes'), options: { ...options } })
}

/** The same app for tests. @param {import('fastify').FastifyServerOptions} [options] */
export async function build (options = {}) {
  const app = Fastify(options)
  await app.register(start)
  return app
}
