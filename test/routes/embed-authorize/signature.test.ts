import { createHmac } from 'node:crypto'

import t from 'tap'

import { startBoldBi } from '../../../server/mock-products/boldbi.js'
import { SECRET, embedApp, embedQuery } from '../../helpers/embed.js'
import type { StubUpstream } from '../../helpers/stub-upstream.js'

/** The signed string of the last request, cut out of the received bytes. */
function lastOnWire (bi: StubUpstream, method: 'GET' | 'POST'): string {
  const last = bi.rawBytes().split(`${method} /bi/api/site/site1/embed/authorize`).at(-1) ?? ''
  if (method === 'GET') return /^\?(\S+) HTTP\/1\.1\r\n/.exec(last)?.[1] ?? ''
  return JSON.parse(last.slice(last.indexOf('\r\n\r\n') + 4)) as string
}

for (const [transport, method] of [['get', 'GET'], ['post', 'POST']] as const) {
  // Base64 of a SHA-256 always ends with exactly one "=".
  t.test(`by ${method} the signature is sent as raw base64, with "+", "/" and "=" not percent-encoded`, async (t) => {
    const { bi, post } = await embedApp(t, { transport })
    const wanted = new Set(['+', '/', '='])
    for (let tries = 0; tries < 500 && wanted.size > 0; tries++) {
      t.equal((await post(embedQuery())).statusCode, 200)
      const text = lastOnWire(bi, method)
      const at = text.indexOf('&embed_signature=')
      const [signed, signature] = [text.slice(0, at), text.slice(at + '&embed_signature='.length)]
      t.equal(signature, createHmac('sha256', SECRET).update(signed).digest('base64'))
      for (const character of wanted) if (signature.includes(character)) wanted.delete(character)
    }
    t.equal(wanted.size, 0, 'all three characters were seen')
  })

  t.test(`the mock product compares the raw string and accepts every signature by ${method}`, async (t) => {
    const boldBi = await startBoldBi({ embedders: [], embedSecret: SECRET })
    t.teardown(() => boldBi.close())
    const servers = [{ apiUrl: boldBi.apiUrl, embedSecret: SECRET }]
    const { post } = await embedApp(t, { transport, servers })
    for (let tries = 0; tries < 30; tries++) {
      const response = await post(embedQuery(), { dashboardServerApiUrl: boldBi.apiUrl })
      t.match(response.json(), { ApiStatus: true, Status: true, Data: { access_token: String } })
    }
  })
}
