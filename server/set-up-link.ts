import { createLinks } from '../routes/admin/users/links.js'
import type { TokenStore } from '../contracts/token-store/index.js'
import { secretBox } from '../signing/secret-box.js'

/**
 * Creates the link with which the first administrator chooses a password in the browser. It is a link of a password
 * reset: valid for 30 minutes and once. `null`: the account does not exist any more.
 *
 * @param accountUrl the page of the console that opens the link
 * @param showsEmail whether the link contains the email, so that the page also signs in. Without it, the page only sets
 *   the password.
 */
export async function setUpLink (
  store: TokenStore,
  jwtSecrets: readonly string[],
  { email, accountUrl, showsEmail }: { email: string, accountUrl: string, showsEmail: boolean }
): Promise<string | null> {
  const user = await store.users.findByEmail(email)
  if (user === null) return null
  const links = createLinks({ box: secretBox(jwtSecrets), linkUrl: accountUrl, now: Date.now })
  const { token, digest, expiresAt } = links.create('password reset')
  if (!await store.accountLinks.startReset({ userId: user.id, digest, expiresAt })) return null
  const [task, parameters] = showsEmail ? ['setup', { token, email }] : ['reset', { token }]
  return `${accountUrl}#/${task}?${new URLSearchParams(parameters).toString()}`
}
