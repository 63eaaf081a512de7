import fp from 'fastify-plugin'
import type { FastifyPluginAsync, GatehouseRouteConfig } from 'fastify'
import { Type } from '@sinclair/typebox'

import { UNAVAILABLE } from '../lib/errors.js'
import type { EventDurability } from './open-sink.js'

export interface HealthOptions {
  /** What an acknowledged write outlives. */
  durability: EventDurability
  /** Whether all that a start has to do is done. Default: it is. */
  started?: () => boolean
  /** What the routes ask of the guards around them. Default: nothing. */
  guards?: GatehouseRouteConfig
}

const DURABILITY: Readonly<Record<EventDurability, string>> = {
  none: 'Kept in memory: nothing outlives this process.',
  process: 'Acknowledged writes survive the death of this process, kill -9 included; a power cut can lose the last of them.',
  brokers: 'Acknowledged events are held by most brokers of the cluster, each of which flushes them to its disk from time to time.',
  disk: 'Acknowledged writes are flushed to the disk of the database server.'
}

/** In the order in which they are asked. */
const PARTS = ['the store', 'the event sink']

const ReadySchema = Type.Object({
  status: Type.Literal('ready'),
  durability: Type.Union([Type.Literal('none'), Type.Literal('process'), Type.Literal('brokers'), Type.Literal('disk')]),
  note: Type.String()
})

/** `/healthz`: the process is alive. `/readyz`: the store and the sink answer, and the server is not on its way down. */
const health: FastifyPluginAsync<HealthOptions> = async (app, { durability, started = () => true, guards = {} }) => {
  const ready = { status: 'ready', durability, note: DURABILITY[durability] } as const
  const config = { quiet: true, gatehouse: guards }

  app.get('/healthz', {
    config,
    schema: { summary: 'Whether the process is alive', tags: ['health'], response: { 200: Type.Object({ status: Type.Literal('ok') }) } }
  }, async (_request, reply) => {
    reply.header('Cache-Control', 'no-store')
    return { status: 'ok' as const }
  })

  app.get('/readyz', {
    config,
    schema: { summary: 'Whether the store and the event sink answer', tags: ['health'], response: { 200: ReadySchema } }
  }, async (_request, reply) => {
    reply.header('Cache-Control', 'no-store')
    if (!started()) throw new UNAVAILABLE({ message: 'The server is starting' })
    if (app.isDraining()) throw new UNAVAILABLE({ message: 'The server is shutting down', retryAfterSeconds: 5 })
    const answers = await Promise.allSettled([app.tokenStore.ready(), app.eventSink.ready()])
    const silent = answers.flatMap((answer, at) => answer.status === 'rejected' ? [{ name: PARTS[at], cause: answer.reason as unknown }] : [])
    if (silent.length > 0) {
      throw new UNAVAILABLE({ message: `No answer from ${silent.map(({ name }) => name).join(' and ')}`, cause: silent[0]?.cause })
    }
    return ready
  })
}

export default fp(health, { name: 'gatehouse-health', fastify: '5.x', decorators: { fastify: ['tokenStore', 'eventSink', 'isDraining'] } })
