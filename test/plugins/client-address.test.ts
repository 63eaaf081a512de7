import t from 'tap'

import { clientNetwork, plainAddress } from '../../plugins/client-address.js'

t.test('D20: an address is plain, and empty for a client that has gone', async (t) => {
  t.equal(plainAddress('192.0.2.7'), '192.0.2.7')
  t.equal(plainAddress('::FFFF:192.0.2.7'), '192.0.2.7')
  t.equal(plainAddress('2001:db8::7'), '2001:db8::7')
  t.equal(plainAddress(undefined), '')
  t.equal(clientNetwork(undefined), '')
})
