import t from 'tap'

import { balancer } from '../helpers/balancer.js'
import { call } from '../helpers/cluster-call.js'
import { visit } from '../helpers/cluster-visits.js'
import { MODES, cluster } from '../helpers/cluster.js'
import { storedIds } from '../helpers/server-session.js'

const ROUNDS = Number(process.env.ROUNDS ?? 1)
const RATE = 300
/** Some health checks of the balancer. */
const DRAIN_DELAY_MS = '1000'

// The mode makes little difference to a stop.
for (const mode of ROUNDS > 1 ? MODES : MODES.slice(-1)) {
  t.test(`two instances on ${mode} restart without a failed request`, async (t) => {
    const made = await cluster(t, { mode, instances: 2, variables: { DRAIN_DELAY_MS } })
    if (made === null) return
    const { token, pipelineKey } = made
    const instances = [...made.instances]

    t.test(`no request fails, and no event is lost or stored twice, in ${ROUNDS} rolling ` +
      'restarts behind HAProxy', async (t) => {
      const front = await balancer(t, instances.map(({ origin }) => origin))
      if (front === null) return
      const visits = visit(front.origin, { pipelineKey, token, perSecond: RATE })
      for (let restart = 0; restart < ROUNDS * 2; restart++) {
        const old = instances[restart % 2]
        if (old === undefined) throw new RangeError('no such instance')
        t.equal((await old.stop()).code, 0)
        await front.uses(1)
        instances[restart % 2] = await made.start({ PORT: new URL(old.origin).port })
        await front.uses(2)
      }
      await visits.stop()

      t.same(visits.failures.slice(0, 5), [], `${visits.failures.length} failures`)
      t.comment(
        `${mode}: ${visits.succeeded()} requests answered during ${
          ROUNDS * 2
        } restarts, ${visits.failures.length} failed`
      )
      const stored = await storedIds(front, token)
      t.same(visits.acknowledged.filter((id) => stored.get(id) !== 1), [], 'each acknowledged event is stored once')
      t.equal(stored.size, visits.acknowledged.length)
    })

    t.test('for DRAIN_DELAY_MS after SIGTERM a server accepts new connections while /readyz is 503', async (t) => {
      // Much longer than two requests.
      const stopping = await made.start({ DRAIN_DELAY_MS: '60000' })
      stopping.signal('SIGTERM')
      while ((await fetch(`${stopping.origin}/readyz`)).status !== 503);
      const { status } = await call(stopping, '/v1/t', { token: pipelineKey, body: { event: 'Late', userId: 'u' } })
      t.equal(status, 200)
      t.equal((await stopping.kill()).signal, 'SIGKILL', 'the server still ran')
    })
  })
}
