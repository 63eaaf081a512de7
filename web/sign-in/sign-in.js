// The page on which administrators sign in, with a password or through an identity provider. The tokens stay in memory.
// URLs are relative, so that the server may be below a path.
const MESSAGES = {
  access_denied: 'You cancelled the sign-in, or your identity provider refused it.',
  expired: 'The sign-in took too long, or was finished before. Sign in again.',
  invalid_response: 'The response of your identity provider is not valid. Sign in again, or tell your administrator.',
  provider_unavailable: 'Your identity provider does not respond. Try again later.',
  email_not_verified: 'Your identity provider does not confirm your email address, or its domain is not proved here.',
  not_allowed: 'You have no access here. Ask your administrator.'
}
const CHECK_EVERY = 2_000

const $ = (id) => document.getElementById(id)
let accessToken = null
let timer

/** Reads the result of a login at an identity provider from the fragment, and removes it from the history. */
async function open () {
  const result = new URLSearchParams(document.location.hash.slice(1))
  globalThis.history.replaceState(null, '', document.location.pathname)
  if (result.has('sso_error')) show(MESSAGES[result.get('sso_error')] ?? 'The sign-in failed. Try again.')
  const code = result.get('sso')
  if (code !== null) await attempt(async () => proceed(await call('POST', 'auth/sso/token', { code })))
  if (accessToken === null && $('code').hidden) await attempt(async () => offer(await call('GET', 'auth/sso')))
}

$('login').addEventListener('submit', (event) => handle(event, async () => {
  const email = $('email').value
  if ($('secret').hidden) {
    const { required, providers } = await call('GET', `auth/sso?email=${encodeURIComponent(email)}`)
    offer({ providers }, email)
    if (required) show('Passwords do not work for your domain. Continue with your identity provider.', '')
    $('secret').hidden = false
    $('continue').textContent = 'Sign in'
    if (!required) $('password').focus()
    return
  }
  proceed(await call('POST', 'auth/login', { email, password: $('password').value }))
}))

let mfaToken = null
$('code').addEventListener('submit', (event) => handle(event, async () => {
  proceed(await call('POST', 'auth/mfa/verify', { mfa_token: mfaToken, code: $('digits').value }))
}))

$('sign-out').addEventListener('click', (event) => handle(event, async () => {
  const { logout_url: url } = await call('POST', 'auth/sso/logout')
  ended('You have signed out.')
  if (url !== null) document.location.assign(url)
}))

/** Continues with the response to a login: with tokens, or with the second factor. */
function proceed (reply) {
  $('password').value = ''
  $('digits').value = ''
  show('')
  if (reply.mfa_required !== true) return signedIn(reply.access_token)
  if (reply.enrolment_required === true) throw new Error('Your organisation requires a second factor; set it up first.')
  mfaToken = reply.mfa_token
  $('login').hidden = $('providers').hidden = true
  $('code').hidden = false
  $('digits').focus()
}

async function signedIn (token) {
  accessToken = token
  const me = await call('GET', 'auth/me')
  $('title').textContent = 'Signed in'
  $('login').hidden = $('code').hidden = $('providers').hidden = true
  const facts = { Email: me.email, Organisation: me.org_name, Role: me.role, Session: me.session_id }
  const rows = Object.entries(facts).flatMap(([name, value]) => [element('dt', name), element('dd', value)])
  $('facts').replaceChildren(...rows)
  $('session').hidden = false
  timer = setInterval(check, CHECK_EVERY)
}

/** Notices that the session was ended elsewhere, such as by a logout at the identity provider. */
async function check () {
  const reply = await send('GET', 'auth/me').catch(() => null)
  if (reply?.status === 401) ended('Your session has ended.')
}

function ended (message) {
  clearInterval(timer)
  accessToken = null
  $('session').hidden = true
  $('login').hidden = false
  $('title').textContent = 'Sign in'
  show(message, '')
  attempt(async () => offer(await call('GET', 'auth/sso')))
}

/** Shows links to identity providers. */
function offer ({ providers }, email) {
  $('providers').hidden = providers.length === 0
  $('links').replaceChildren(...providers.map(({ name, start_url: url }) => {
    const link = element('a', name)
    link.href = email === undefined ? url : `${url}?login_hint=${encodeURIComponent(email)}`
    const item = element('li', '')
    item.append(link)
    return item
  }))
}

async function handle (event, work) {
  event.preventDefault()
  const button = event.submitter ?? event.currentTarget
  button.disabled = true
  show('')
  await attempt(work)
  button.disabled = false
}

async function attempt (work) {
  try {
    await work()
  } catch (error) {
    show(error.message)
  }
}

function send (method, path, body) {
  const headers = {
    ...accessToken === null ? {} : { Authorization: `Bearer ${accessToken}` },
    ...body === undefined ? {} : { 'Content-Type': 'application/json' }
  }
  return fetch(`v1/admin/${path}`, { method, headers, ...body === undefined ? {} : { body: JSON.stringify(body) } })
}

async function call (method, path, body) {
  const response = await send(method, path, body)
    .catch(() => { throw new Error('The server does not respond. Try again.') })
  const reply = await response.json().catch(() => ({}))
  if (!response.ok) throw new Error(reply.error?.message ?? `The server responded with status ${response.status}.`)
  return reply
}

function element (name, text) {
  const created = document.createElement(name)
  created.textContent = text
  return created
}

function show (message, state = 'bad') {
  $('result').textContent = message
  $('result').className = message === '' ? '' : state
}

open()
