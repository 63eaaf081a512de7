// A NestJS host on @nestjs/platform-fastify. It registers the suite by the application, or on Fastify's instance.
import 'reflect-metadata'

import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, RouteConfig } from '@nestjs/platform-fastify'

import { guarded, statuses, suite } from './suite.mjs'

// The decorators are applied as functions, because Node.js runs this file as it is.
class Guarded {
  get () {
    return { guarded: true }
  }
}
const get = Object.getOwnPropertyDescriptor(Guarded.prototype, 'get')
for (const decorate of [Get('guarded'), RouteConfig(guarded)]) decorate(Guarded.prototype, 'get', get)
Controller()(Guarded)

class App {}
Module({ controllers: [Guarded] })(App)

export default async function host (order) {
  const nest = await NestFactory.create(App, new FastifyAdapter(), { logger: false, rawBody: true })
  const app = nest.getHttpAdapter().getInstance()
  const registry = order === 'application' ? nest : app
  for (const [plugin, options] of Object.values(suite)) await registry.register(plugin, options)
  await nest.init()
  await app.ready()
  const answers = await statuses(app)
  await nest.close()
  return answers
}
