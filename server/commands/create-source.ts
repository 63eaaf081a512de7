import { join } from 'node:path'

import { parseDomain } from '../../lib/cors/domain.js'
import type { Values } from './command.js'
import { createSource } from '../demo-source.js'
import { withStore } from './with-store.js'

export async function createSourceCommand ({ name, domain = [], environment = 'live' }: Values): Promise<void> {
  if (typeof name !== 'string' || name === '' || name.length > 200) {
    throw new Error('create-source requires --name <name>')
  }
  if (environment !== 'live' && environment !== 'test') throw new Error('--environment must be live or test')
  const domains = (Array.isArray(domain) ? domain : [domain]).map(String)
  const wrong = domains.find((text) => parseDomain(text) === null)
  if (wrong !== undefined) {
    throw new Error(`--domain ${JSON.stringify(wrong)} must be an origin, a host or *.example.com`)
  }

  await withStore(async (store, { database, secrets, dataDir }) => {
    const { source, serverSecret } = await createSource(store, name, domains, environment)
    if (database !== null && secrets.SECRETS_KEY === null) {
      console.error(
        `SECRETS_KEY is not set: the server secret is encrypted with the generated key in ${join(dataDir, 'secrets')}. ` +
          "A server with another key refuses the source's requests with 503."
      )
    }
    console.log(`Source ${source.id}\nPipeline key:  ${source.pipelineKey}\nServer secret: ${serverSecret}`)
  })
}
