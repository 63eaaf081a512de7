import { SOURCE_DEFAULTS } from '../plugins/token-store/source-settings.js'
import type { Source, TokenStore } from '../contracts/token-store/index.js'
import { generatePipelineKey } from '../signing/datafly/pipeline-key.js'
import { generateServerSecret } from '../signing/datafly/server-secret.js'

/** The organisation of the built-in server's administrators and sources. */
export const ORG = 'default'
export const DEMO_SOURCE = 'Demo'

/** Finds the demo source, or returns `null` if an administrator has deleted it. */
export async function findDemoSource ({ sources }: TokenStore): Promise<Source | null> {
  let cursor: string | undefined
  do {
    const { data, nextCursor } = await sources.list(ORG, { limit: 100, cursor })
    const found = data.find(({ name }) => name === DEMO_SOURCE)
    if (found !== undefined) return found
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
  return null
}

/** Creates a source that accepts pages of the given origins. */
export async function createSource (
  { sources }: TokenStore,
  name: string,
  domains: readonly string[],
  environment: 'live' | 'test' = 'live'
) {
  const serverSecret = generateServerSecret()
  const source = await sources.create({
    ...SOURCE_DEFAULTS,
    orgId: ORG,
    name,
    environment,
    domains: [...domains],
    pipelineKey: generatePipelineKey(environment),
    serverSecret
  })
  return { source, serverSecret }
}
