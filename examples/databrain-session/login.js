// Two users and one password for all of them. Replace this file with your own login; the app only calls `userOf`.
import { createHash, timingSafeEqual } from 'node:crypto'

const USERS = new Map([
  ['ann', { id: 'ann', company: 'acme', maySeeReports: true }],
  ['bob', { id: 'bob', company: 'globex', maySeeReports: false }]
])
const FORM = `<!doctype html><title>Sign in</title>
<form method="post">
  <label>User <input name="user" value="ann"></label>
  <label>Password <input name="password" type="password"></label>
  <button>Sign in</button>
</form>`

/**
 * Adds `GET /login` and `POST /login`.
 *
 * @param {import('fastify').FastifyInstance} app
 * @param {NodeJS.ProcessEnv} env
 */
export function registerLogin (app, env) {
  const { DEMO_PASSWORD = '' } = env
  if (DEMO_PASSWORD.length < 12) throw new Error('DEMO_PASSWORD must have at least 12 characters')
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 1024 }, async (
    /** @type {unknown} */ _request, /** @type {string | Buffer} */ body
  ) => new URLSearchParams(String(body)))

  app.get('/login', async (_request, reply) => reply.type('text/html').send(FORM))

  app.post('/login', async (request, reply) => {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
    const user = USERS.get(form.get('user') ?? '')
    if (user === undefined || !isEqual(form.get('password') ?? '', DEMO_PASSWORD)) {
      return reply.code(401).type('text/html').send(FORM)
    }
    await request.session.regenerate()
    request.session.user = user.id
    request.session.signedInAt = Date.now()
    return reply.redirect('/', 303)
  })
}

/**
 * The signed-in user, or `null`.
 *
 * @param {import('fastify').FastifyRequest} request
 */
export function userOf ({ session: { user = '', signedInAt = 0 } }) {
  const found = USERS.get(user)
  return found === undefined ? null : { ...found, signedInAt }
}

/**
 * @param {string} given
 * @param {string} expected
 */
function isEqual (given, expected) {
  const [a, b] = [given, expected].map((text) => createHash('sha256').update(text).digest())
  return a !== undefined && b !== undefined && timingSafeEqual(a, b)
}
