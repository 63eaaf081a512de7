import type t from 'tap'

import { bundled, servePage } from './sdk-page.js'

type Test = Pick<typeof t, 'teardown'>

let bundle: Promise<string> | undefined

/**
 * Serves a page with RudderStack's browser SDK, and the source's configuration as RudderStack's control plane does;
 * gives the origin of both.
 */
export async function rudderPage (test: Test): Promise<string> {
  const script = await (bundle ??= bundled('rudder-shop.js'))
  return servePage(test, () => script, {
    '/sourceConfig/': (query) => sourceConfig(query.get('writeKey') ?? '')
  })
}

/** An enabled source without destinations; the SDK reports neither its errors nor its metrics. */
export function sourceConfig (writeKey: string): unknown {
  return {
    source: {
      id: 'source-1',
      name: 'Shop',
      writeKey,
      enabled: true,
      workspaceId: 'workspace-1',
      connections: [],
      destinations: [],
      dataplanes: {},
      config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } }
    },
    updatedAt: '2026-01-01T00:00:00.000Z'
  }
}
