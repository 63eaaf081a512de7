import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'
import type t from 'tap'

type Test = Pick<typeof t, 'teardown'>

let bundle: Promise<string> | undefined

/**
 * Serves a page with RudderStack's browser SDK, and the source's configuration as RudderStack's control plane does;
 * gives the origin of both.
 */
export async function rudderPage (test: Test): Promise<string> {
  const script = await (bundle ??= bundled())
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://shop')
    if (pathname === '/sourceConfig/') {
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.end(JSON.stringify(sourceConfig(searchParams.get('writeKey') ?? '')))
      return
    }
    const isScript = pathname === '/shop.js'
    response.setHeader('content-type', isScript ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8')
    response.end(
      isScript
        ? script
        : '<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script src="/shop.js"></script>'
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  test.teardown(() =>
    new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
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

async function bundled (): Promise<string> {
  const { outputFiles: [file] } = await build({
    entryPoints: [fileURLToPath(new URL('../sdk/fixtures/rudder-shop.js', import.meta.url))],
    bundle: true,
    write: false
  })
  if (file === undefined) throw new Error('esbuild gave no file')
  return file.text
}
