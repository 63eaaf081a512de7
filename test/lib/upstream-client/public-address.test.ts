import t from 'tap'

import { upstreamClient } from '../../../lib/upstream-client/index.js'
import { isPublicAddress } from '../../../lib/upstream-client/public-address.js'
import { UPSTREAM_ERROR } from '../../../lib/errors.js'
import { stubUpstream } from '../../helpers/stub-upstream.js'

t.test('addresses of private and special networks are not public, in any notation', async (t) => {
  for (const address of ['127.0.0.1', '127.1.2.3', '0.0.0.0', '10.1.2.3', '172.16.0.1', '192.168.1.1', '100.64.0.1',
    '169.254.169.254', '224.0.0.1', '255.255.255.255', '192.0.2.1', '198.18.0.1', '240.0.0.1', '::', '::1', 'fe80::1',
    'fd00:ec2::254', 'ff02::1', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '64:ff9b::7f00:1', '2002:7f00:1::',
    '2001:db8::1', 'name', '']) {
    t.equal(isPublicAddress(address), false, address)
  }
  for (const address of ['1.1.1.1', '203.1.0.9', '2606:4700::1111', '::ffff:1.1.1.1']) {
    t.equal(isPublicAddress(address), true, address)
  }
})

t.test('with publicOnly no connection to this machine is opened, by address or by name', async (t) => {
  const stub = await stubUpstream(t)
  const { port } = new URL(stub.origin)
  for (const host of ['127.0.0.1', '127.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433']) {
    const { origin } = new URL(`http://${host}:${port}`)
    const client = upstreamClient({ origin, publicOnly: true, timeout: 5_000 })
    await t.rejects(client.call({ method: 'GET', path: '/' }), UPSTREAM_ERROR, host)
    await client.close()
  }
  t.equal(stub.connections(), 0)
})

t.test('without publicOnly a name of this machine is called', async (t) => {
  const stub = await stubUpstream(t)
  const client = upstreamClient({ origin: `http://localhost:${new URL(stub.origin).port}`, timeout: 5_000 })
  t.teardown(() => client.close())
  t.equal((await client.call({ method: 'GET', path: '/' })).statusCode, 200)
})
