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
  const script = await (bundle ??= bundled('shop.js'))
  return servePage(test, () => script)
}

/** Serves a page with one script, and JSON at the paths of `json`; gives its origin. */
export async function servePage (
  test: Test,
  script: () => string,
  json: Readonly<Record<string, (query: URLSearchParams) => unknown>> = {}
): Promise<string> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://shop')
    const bodyOf = json[pathname]
    if (bodyOf !== undefined) {
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.end(JSON.stringify(bodyOf(searchParams)))
      return
    }
    const isScript = pathname === '/shop.js'
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

/** Bundles a script of `sdk/fixtures/` for a browser. */
export async function bundled (fixture: string): Promise<string> {
  const { outputFiles: [file] } = await build({
    entryPoints: [fileURLToPath(new URL(`../sdk/fixtures/${fixture}`, import.meta.url))],
    bundle: true,
    write: false,
    define: { 'process.env.NODE_ENV': '"production"' }
  })
  if (file === undefined) throw new Error('esbuild gave no file')
  return file.text
}
