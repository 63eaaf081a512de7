import { randomBytes } from 'node:crypto'

import { SOURCE_DEFAULTS } from '../../plugins/token-store/source-settings.js'
import type { NewSource, Source, TokenStore } from '../../contracts/token-store/index.js'
import { generatePipelineKey } from '../../signing/datafly/pipeline-key.js'

/** The page of a source's shop, the one origin that `makeSource` allows by default. */
export const SHOP = 'https://shop.example.com'

export interface MadeSource {
  source: Source
  key: string
  /** The server secret as text. */
  secret: string
}

/** Creates a source in a store; what is not given is a live source of `SHOP` that takes signed and unsigned events. */
export async function makeSource (store: TokenStore, settings: Partial<NewSource> = {}): Promise<MadeSource> {
  const environment = settings.environment ?? 'live'
  const secret = settings.serverSecret ?? randomBytes(32).toString('hex')
  const key = settings.pipelineKey ?? generatePipelineKey(environment)
  const source = await store.sources.create({
    ...SOURCE_DEFAULTS,
    orgId: 'acme',
    name: 'Shop',
    domains: [SHOP],
    ...settings,
    environment,
    pipelineKey: key,
    serverSecret: secret
  })
  return { source, key, secret }
}
