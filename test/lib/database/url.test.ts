import t from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'

const FAULTY = { 'no URL': undefined, 'an empty URL': '', 'a bare name': 'events', 'another protocol': 'mysql://a:b@c/d' }

for (const [name, url] of Object.entries(FAULTY)) {
  t.test(`openDatabase refuses ${name} before it connects, and the error contains no part of it`, async (t) => {
    await t.rejects(openDatabase({ url } as { url: string }), {
      code: 'INVALID_OPTIONS',
      message: 'openDatabase: "url" must be a URL such as postgres://user:password@host:5432/name'
    })
  })
}
