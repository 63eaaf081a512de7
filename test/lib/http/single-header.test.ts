import t from 'tap'

import { singleHeader } from '../../../lib/http/single-header.js'

t.test('a header that occurs once is read in any case, and its values are not searched', async (t) => {
  t.equal(singleHeader(['Host', 'authorization', 'AUTHORIZATION', 'Bearer x'], 'authorization'), 'Bearer x')
  t.equal(singleHeader(['authorization', ''], 'authorization'), '')
})

t.test('a missing header is undefined, and a repeated header is null, even with equal values', async (t) => {
  t.equal(singleHeader([], 'host'), undefined)
  t.equal(singleHeader(['x-host', 'a', 'hosts', 'b'], 'host'), undefined)
  t.equal(singleHeader(['host', 'a', 'Host', 'a'], 'host'), null)
})
