// A host that loads the suite by @fastify/autoload: plugins and guards from one folder, routes from another.
import { join } from 'node:path'

import autoload from '@fastify/autoload'
import Fastify from 'fastify'

import { statuses } from './suite.mjs'

const folder = join(import.meta.dirname, 'autoloaded')

export default async function host (order) {
  const app = Fastify()
  app.register(autoload, { dir: join(folder, 'plugins') })
  // With `options.prefix`, @fastify/autoload puts each folder's prefix behind it.
  const options = order === 'prefix' ? { options: { prefix: '/host' } } : {}
  app.register(autoload, { dir: join(folder, 'routes'), ...options })
  await app.ready()
  const prefix = order === 'prefix' ? '/host' : ''
  const answers = await statuses(app, undefined, {
    guarded: `${prefix}/guarded`,
    widget: `${prefix}/charts/api/generate-token`,
    track: `${prefix}/events/v1/t`,
    admin: `${prefix}/admin`
  })
  await app.close()
  return answers
}
