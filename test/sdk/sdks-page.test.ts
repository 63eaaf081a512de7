import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { build } from 'esbuild'
import t from 'tap'
import type { Test } from 'tap'

import { openBrowser } from '../helpers/browser.js'
import { listeningGateway } from '../helpers/listening-gateway.js'
import { servePage } from '../helpers/sdk-page.js'

const PAGE = await readFile(new URL('../../docs/sdks.md', import.meta.url), 'utf8')
const BLOCKS = PAGE.split('```js\n').slice(1, 5).map((text) => text.split('```')[0] ?? '')

for (const [index, name] of ["Segment's Node SDK", "RudderStack's Node SDK"].entries()) {
  t.test(`${name} is set up as docs/sdks.md prints it`, async (t) => {
    const server = await listeningGateway(t)
    const file = fileURLToPath(new URL(`./.readme-${index}.mjs`, import.meta.url))
    await writeFile(file, filledIn(BLOCKS[index] ?? '', server))
    t.teardown(() => rm(file, { force: true }))
    await promisify(execFile)(process.execPath, [file])
    await assertSignedUp(t, server)
    t.match(await server.stored(), [{ userId: 'ann' }])
  })
}

for (
  const [block, name, path] of [[2, "Segment's browser SDK", '/v1/t'], [3, "RudderStack's browser SDK",
    '/v1/track']] as const
) {
  t.test(`${name} is set up as docs/sdks.md prints it`, async (t) => {
    const browser = await openBrowser(t)
    if (browser === null) return
    const { outputFiles: [file] } = await build({
      stdin: { contents: BLOCKS[block] ?? '', resolveDir: fileURLToPath(new URL('../..', import.meta.url)) },
      bundle: true,
      write: false
    })
    let script = ''
    const origin = await servePage(t, () => script)
    const server = await listeningGateway(t, { source: { domains: [origin] } })
    script = filledIn(file?.text ?? '', server)
    const page = await browser.newPage()
    const requests: string[] = []
    page.on('request', (request) => requests.push(new URL(request.url()).host))
    const answered = page.waitForResponse((response) =>
      response.url().endsWith(path) && response.request().method() === 'POST'
    )
    await page.goto(origin)
    await answered
    await assertSignedUp(t, server)
    const known = [new URL(origin).host, new URL(server.origin).host]
    t.same(requests.filter((host) => !known.includes(host)), [], 'no other host is called')
  })
}

/** Replaces the host in the code by this server. */
function filledIn (code: string, { origin, key }: { origin: string, key: string }): string {
  return code.replace('https://events.example.com', origin).replace('events.example.com', new URL(origin).host)
    .replace(/protocol: ['"]https['"]/, "protocol: 'http'").replace(/dk_live_(?:…|\\u2026)/, key)
}

async function assertSignedUp (t: Test, { stored }: { stored(): Promise<unknown[]> }): Promise<void> {
  const events = await stored()
  t.equal(events.length, 1)
  t.match(events, [{ type: 'track', event: 'Signed Up' }])
}
