import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

import pipelineKey from '../../plugins/pipeline-key/index.js'
import signature from '../../plugins/signature.js'
import type { SignatureOptions } from '../../plugins/signature.js'
import tokenStore from '../../plugins/token-store/index.js'
import type { NewSource, TokenStore } from '../../contracts/token-store/index.js'
import { backend } from './backend.js'
import { makeSource } from './source.js'
import type { MadeSource } from './source.js'

export interface SignedApp extends MadeSource {
  app: FastifyInstance
  store: TokenStore
  bearer: { authorization: string }
}

/**
 * A host with Fastify's own parsers, whose routes `/optional`, `/required` and `/off` say whether they are signed and
 * what came.
 */
export async function signedApp (
  t: Test,
  settings: Partial<NewSource> = {},
  options: SignatureOptions = {}
): Promise<SignedApp> {
  const { store } = await backend(t)
  const app = Fastify({ bodyLimit: 1_000 })
  t.teardown(() => app.close())
  await app.register(tokenStore, { store })
  await app.register(pipelineKey)
  await app.register(signature, options)
  for (const mode of ['optional', 'required', 'off'] as const) {
    app.route({
      method: ['GET', 'POST'],
      url: `/${mode}`,
      config: { gatehouse: { pipelineKey: true, signature: mode } },
      handler: async ({ signed, body, signedBody }) => ({
        signed,
        body: body ?? null,
        raw: signedBody?.toString('latin1') ?? null
      })
    })
  }
  const made = await makeSource(store, settings)
  return { app, store, ...made, bearer: { authorization: `Bearer ${made.key}` } }
}
