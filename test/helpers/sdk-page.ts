import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'
import type t from 'tap'

type Test = Pick<typeof t, 'teardown'>

let bundle: Promise<string> | undefined

/**
 * Serves `sdk/fixtures/shop.js`, bundled with Segment's browser SDK as a customer's would be, in a page of an origin
 * of its own.
 */
export async function sdkPage (test: Test): Promise<string> {
  const script = await (bundle ??= bundled())
  return servePage(test, () => script)
}

/** Serves a page with one script; gives its origin. */
export async function servePage (test: Test, script: () => string): Promise<string> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/shop.js'
    response.setHeader('content-type', isScript ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8')
    response.end(
      isScript
        ? script()
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

async function bundled (): Promise<string> {
  const { outputFiles: [file] } = await build({
    entryPoints: [fileURLToPath(new URL('../sdk/fixtures/shop.js', import.meta.url))],
    bundle: true,
    write: false,
    define: { 'process.env.NODE_ENV': '"production"' }
  })
  if (file === undefined) throw new Error('esbuild gave no file')
  return file.text
}
