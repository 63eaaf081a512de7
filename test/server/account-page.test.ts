import t from 'tap'

import { demoApp } from '../helpers/server-app.js'

t.test('the account page has a strict policy and no data, in production too', async (t) => {
  const secret = (letters: string) => `${letters}-8nQb5_kLx1VfR6yHj9Ms4Pd0Gc7w3Tz`
  const production = {
    NODE_ENV: 'production',
    JWT_SECRET: secret('Aa'),
    SECRETS_KEY: secret('Bb'),
    DATABRAIN: 'off',
    BOLDBI: 'off',
    DXFEED: 'off'
  }
  for (const variables of [{}, production]) {
    const { app } = await demoApp(t, variables)
    const types = { '/account': 'text/html', '/account/account.css': 'text/css', '/account/account.js': 'text/javascript' }
    for (const [url, type] of Object.entries(types)) {
      const reply = await app.inject({ url, headers: { host: 'gate.example.com' } })
      t.equal(reply.statusCode, 200, url)
      t.match(reply.headers['content-type'], type)
      t.match(reply.headers['content-security-policy'], "default-src 'none'")
      t.match(reply.headers['content-security-policy'], "frame-ancestors 'none'")
      t.match(reply.headers['referrer-policy'], 'no-referrer')
      t.match(reply.headers['x-content-type-options'], 'nosniff')
    }
  }
})
