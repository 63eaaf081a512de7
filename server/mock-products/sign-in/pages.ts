import { escapeHtml, page } from '../page.js'
import { nameOf } from './people.js'
import type { Person } from './people.js'

export interface SignInPage {
  /** The name of the provider. */
  provider: string
  /** The identifier of the app that requests the sign-in. */
  app: string
  /** Identifies the pending request in the form. */
  request: string
  people: readonly Person[]
  /** The email address that the app suggests; its person comes first. */
  hint?: string | null
}

/** Returns the page on which a visitor chooses who to be. The form sends `request`, and `person` or `cancel`. */
export function signInPage ({ provider, app, request, people, hint = null }: SignInPage): string {
  const isHinted = (person: Person) => person.email === hint
  const ordered = [...people.filter(isHinted), ...people.filter((person) => !isHinted(person))]
  const items = ordered.map((person) => {
    const groups = person.groups.length === 0 ? 'no groups' : person.groups.join(', ')
    return `<li><button name="person" value="${escapeHtml(person.id)}"${isHinted(person) ? ' autofocus' : ''}>
<b>${escapeHtml(nameOf(person))}</b>
<span>${escapeHtml(person.email)}${person.emailVerified ? '' : ' <em class="down">not verified</em>'}</span>
<small>${escapeHtml(groups)}</small>
</button></li>`
  })
  return page({
    title: `Sign in – ${provider}`,
    body: `<main class="identity">
<header><h1>${escapeHtml(provider)}</h1><small>for development</small></header>
<p>Sign in to <b>${escapeHtml(app)}</b> as</p>
<form method="post" action="/sign-in">
<input type="hidden" name="request" value="${escapeHtml(request)}">
<ul class="people">
${items.join('\n')}
</ul>
<button class="plain" name="cancel" value="yes">Cancel</button>
</form>
</main>`
  })
}

/** Returns the provider's own page: the person of this browser's session, and the buttons that sign out. */
export function accountPage (provider: string, person: Person | null, sessions: number): string {
  const body = person === null
    ? '<p>No one is signed in at this provider in this browser. Start from the app that you want to use.</p>'
    : `<p>Signed in as <b>${escapeHtml(nameOf(person))}</b>, ${escapeHtml(person.email)}, in ${
      sessions === 1 ? 'one browser' : `${sessions} browsers`
    }.</p>
<form method="post" action="/sign-out">
<button name="scope" value="here">Sign out</button>
<button name="scope" value="everywhere">Sign out everywhere</button>
</form>`
  return messagePage(provider, provider, body)
}

/** Returns the page that asks whether to sign out. The form sends `request`, and `scope` or `stay`. */
export function signOutPage (provider: string, request: string, person: Person): string {
  return messagePage(
    provider,
    'Sign out?',
    `<p>You are signed in as <b>${escapeHtml(nameOf(person))}</b>, ${escapeHtml(person.email)}.</p>
<form method="post" action="/sign-out">
<input type="hidden" name="request" value="${escapeHtml(request)}">
<button name="scope" value="here">Sign out</button>
<button class="plain" name="stay" value="yes">Stay signed in</button>
</form>`
  )
}

/** Returns a page with a heading and trusted HTML. */
export function messagePage (provider: string, heading: string, html: string): string {
  return page({
    title: `${heading} – ${provider}`,
    body: `<main class="identity">\n<h1>${escapeHtml(heading)}</h1>\n${html}\n</main>`
  })
}
