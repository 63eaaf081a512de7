// The page that mailed links open. URLs are relative, so that the server may be below a path.
const PAGES = { accept: openInvitation, reset: openReset, email: openEmail }

const title = document.getElementById('title')
const text = document.getElementById('text')
const form = document.getElementById('form')
const address = document.getElementById('address')
const secret = document.getElementById('secret')
const button = form.querySelector('button')
const result = document.getElementById('result')

/** Reads the task and the token from the fragment, and removes them from the address and the history. */
async function open () {
  const [task, query] = document.location.hash.slice(2).split('?')
  if (!Object.hasOwn(PAGES, task)) return
  const token = new URLSearchParams(query).get('token') ?? ''
  globalThis.history.replaceState(null, '', document.location.pathname)
  for (const part of [form, address, secret]) part.hidden = true
  show('')
  try {
    await PAGES[task](token)
  } catch (error) {
    text.textContent = ''
    show(error.message, 'bad')
  }
}

async function openInvitation (token) {
  title.textContent = 'Accept an invitation'
  const { email, organisation, role, has_account: hasAccount } = await call('invitations/inspect', { token })
  text.textContent = `You are invited to "${organisation}" with the role ${role}.`
  address.hidden = false
  address.querySelector('input').value = email
  ask({
    label: hasAccount ? 'Your password' : 'New password, 12 characters or more',
    autocomplete: hasAccount ? 'current-password' : 'new-password',
    action: 'Accept',
    submit: (password) => call('invitations/accept', { token, password }),
    done: () => `You are now a member of "${organisation}". Log in as ${email}.`
  })
}

async function openReset (token) {
  title.textContent = 'Set a new password'
  text.textContent = 'All your sessions end.'
  ask({
    label: 'New password, 12 characters or more',
    autocomplete: 'new-password',
    action: 'Set the password',
    submit: (password) => call('auth/password-reset/confirm', { token, new_password: password }),
    done: () => 'Your password is set. Log in again.'
  })
}

async function openEmail (token) {
  title.textContent = 'Confirm your new email address'
  text.textContent = 'The address changes when both addresses have confirmed it.'
  ask({
    label: null,
    action: 'Confirm',
    submit: () => call('auth/email/confirm', { token }),
    done: ({ status }) =>
      status === 'changed' ? 'Your email address has changed.' : 'Confirmed. Now open the link in the other mailbox.'
  })
}

function ask ({ label, autocomplete, action, submit, done }) {
  const input = secret.querySelector('input')
  secret.hidden = label === null
  secret.querySelector('span').textContent = label ?? ''
  input.autocomplete = autocomplete ?? 'off'
  input.required = label !== null
  input.value = ''
  button.textContent = action
  button.disabled = false
  form.hidden = false
  form.onsubmit = async (event) => {
    event.preventDefault()
    button.disabled = true
    show('')
    try {
      const reply = await submit(input.value)
      form.hidden = true
      text.textContent = ''
      show(done(reply), 'good')
    } catch (error) {
      button.disabled = false
      show(error.message, 'bad')
    }
  }
}

async function call (path, body) {
  const response = await fetch(`v1/admin/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body)
  }).catch(() => { throw new Error('The server does not respond. Try again.') })
  const reply = await response.json().catch(() => ({}))
  if (!response.ok) throw new Error(reply.error?.message ?? `The server responded with status ${response.status}.`)
  return reply
}

function show (message, state = '') {
  result.textContent = message
  result.className = state
}

globalThis.addEventListener('hashchange', open)
open()
