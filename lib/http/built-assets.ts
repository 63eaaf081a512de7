import { fileURLToPath } from 'node:url'

import type { FastifyInstance } from 'fastify'

import { NOT_FOUND } from '../errors.js'
import { importOptional } from '../optional-package.js'

const YEAR_SECONDS = 31_536_000

/**
 * Serves the files of a folder at `/assets/` of a scope: compressed if they also exist so, and cached for a year,
 * because the name of each file contains the hash of its content. An unknown file is 404.
 *
 * @param why the feature that needs `@fastify/static`, as the start of a sentence: `The adminConsole plugin`
 * @throws Error that says what to install if `@fastify/static` is missing
 */
export async function serveBuiltAssets (scope: FastifyInstance, folder: URL, why: string): Promise<void> {
  const { default: fastifyStatic } = await importOptional('@fastify/static', () => import('@fastify/static'), why)
  // Routes of single files, so that an unknown file is 404.
  await scope.register(fastifyStatic, {
    root: fileURLToPath(folder),
    prefix: '/assets/',
    wildcard: false,
    globIgnore: ['**/*.br', '**/*.gz'],
    decorateReply: false,
    index: false,
    preCompressed: true,
    immutable: true,
    maxAge: YEAR_SECONDS * 1_000
  })
  scope.get('/assets/*', async () => { throw new NOT_FOUND() })
}
