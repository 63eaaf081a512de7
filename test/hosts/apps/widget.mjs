// The smallest host with widgetToken, for a bundle. It prints the status of the token route.
import Fastify from 'fastify'
import { widgetToken } from 'fastify-gatehouse'

const app = Fastify()
app.register(widgetToken, { secret: 'secret', issuer: 'issuer', session: 'session', authorize: () => 'ann' })
app.inject('/api/generate-token').then(({ statusCode }) => process.stdout.write(String(statusCode)))
