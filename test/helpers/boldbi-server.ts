import type { Test } from 'tap'

import { GRANTED, readCall } from './embed.js'
import { reply, stubUpstream } from './stub-upstream.js'
import type { RecordedCall, StubUpstream } from './stub-upstream.js'

/**
 * A Bold BI server that gives a token for a signature over the very bytes that came, and else says so in HTML, as it
 * does.
 */
export async function boldbiServer (t: Test): Promise<StubUpstream & { apiUrl: string }> {
  const bi = await stubUpstream(
    t,
    (call, response) =>
      reply(isSigned(call) ? GRANTED : { ApiStatus: false, Status: false, Message: '<b>bad signature</b>' })(
        call,
        response
      )
  )
  return Object.assign(bi, { apiUrl: `${bi.origin}/bi/api/site/site1` })
}

function isSigned (call: RecordedCall): boolean {
  const { path, signature, expected } = readCall(call)
  return path === '/bi/api/site/site1/embed/authorize' && signature === expected
}
