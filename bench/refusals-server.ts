// An app with one open and one guarded route; the second argument is the level of its log, which goes to /dev/null.
import { createWriteStream } from 'node:fs'

import Fastify, { LogController } from 'fastify'

import errorEnvelope from '../plugins/error-envelope.js'
import proxyKey from '../plugins/proxy-key.js'
import { generateSecret } from '../signing/secret-strength/index.js'
import { listen, serve } from './serve.js'

async function start (level: string): Promise<number> {
  const app = Fastify({
    logger: { level, stream: createWriteStream('/dev/null') },
    // Only the lines of refusals are measured.
    logController: new LogController({ disableRequestLogging: true })
  })
  await app.register(errorEnvelope)
  await app.register(proxyKey, { keys: [generateSecret()] })
  const answer = async () => ({ ok: true })
  app.get('/open', answer)
  app.get('/guarded', { config: { gatehouse: { proxyKey: true } } }, answer)
  return await listen(app)
}

await serve({ info: async () => await start('info'), silent: async () => await start('silent') })
