import fp from 'fastify-plugin'
import type { FastifyPluginAsync, GatehouseRouteConfig } from 'fastify'
import { Type } from '@sinclair/typebox'

import { UNAVAILABLE } from '../lib/errors.js'
import { UNTRACED } from '../lib/trace.js'
import type { EventDurability } from './open-sink.js'

export interface HealthOptions {
  /** The durability of an acknowledged event. */
  durability: EventDurability
  /** Whether the start is complete. Default: complete. */
  started?: () => boolean
  /** The guard configuration of the routes. Default: none. */
  guards?: GatehouseRouteConfig
}

const DURABILITY: Readonly<Record<EventDurability, string>> = {
  none: 'Events are kept in memory and are lost when this process ends.',
  process: 'Acknowledged events survive a crash of this process, including kill -9; a power cut can lose the latest ' +
    'events.',
  brokers: 'Most brokers of the cluster hold each acknowledged event and flush it to disk periodically.',
  disk: 'Acknowledged events are flushed to the disk of the database server.'
}

/** In the order of the checks. */
const PARTS = ['the store', 'the event sink']

const ReadySchema = Type.Object({
  status: Type.Literal('ready'),
  durability: Type.Union([Type.Literal('none'), Type.Literal('process'), Type.Literal('brokers'),
    Type.Literal('disk')]),
  note: Type.String()
})

/** `/healthz`: the process runs. `/readyz`: the store and the sink respond, and the server is not stopping. */
const health: FastifyPluginAsync<HealthOptions> = async (app, { durability, started = () => true, guards = {} }) => {
  const ready = { status: 'ready', durability, note: DURABILITY[durability] } as const
  const config = { quiet: true, gatehouse: guards, ...UNTRACED }

  app.get('/healthz', {
    config,
    schema: {
      operationId: 'readHealth',
      summary: 'Check whether the process runs',
      tags: ['health'],
      response: { 200: Type.Object({ status: Type.Literal('ok') }) }
    }
  }, (_request, reply) => {
    reply.header('cache-control', 'no-store').send({ status: 'ok' })
  })

  app.get('/readyz', {
    config,
    schema: {
      operationId: 'readReadiness',
      summary: 'Check whether the store and the event sink respond',
      tags: ['health'],
      response: { 200: ReadySchema }
    }
  }, async (_request, reply) => {
    reply.header('Cache-Control', 'no-store')
    if (!started()) throw new UNAVAILABLE({ message: 'The server is starting' })
    if (app.isDraining()) throw new UNAVAILABLE({ message: 'The server is shutting down', retryAfterSeconds: 5 })
    const results = await Promise.allSettled([app.tokenStore.ready(), app.eventSink.ready()])
    const failed = results.flatMap((result, at) =>
      result.status === 'rejected' ? [{ name: PARTS[at], cause: result.reason as unknown }] : []
    )
    if (failed.length > 0) {
      throw new UNAVAILABLE({
        message: `No response from ${failed.map(({ name }) => name).join(' and ')}`,
        cause: failed[0]?.cause
      })
    }
    return ready
  })
}

export default fp(health, {
  name: 'gatehouse-health',
  fastify: '5.x',
  decorators: { fastify: ['tokenStore', 'eventSink', 'isDraining'] }
})
