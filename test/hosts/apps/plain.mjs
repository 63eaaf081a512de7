// A host with a plugin that takes no part in the requests: `node run.mjs plain <order> <package> <options>`.
import Fastify from 'fastify'

import { guardedRoute, registerBeside, statuses } from './suite.mjs'

const [, , , , name, options] = process.argv

export default async function host (order) {
  const app = Fastify()
  const { default: plugin } = await import(name)
  registerBeside(app, order, () => app.register(plugin, JSON.parse(options)))
  guardedRoute(app)
  await app.ready()
  const answers = await statuses(app)
  await app.close()
  return answers
}
