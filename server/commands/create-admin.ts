import { randomUUID } from 'node:crypto'

import { CONFLICT } from '../../lib/errors.js'
import { createPasswords } from '../../lib/passwords/index.js'
import { loginSubject } from '../../plugins/token-store/login-subject.js'
import { ROLES } from '../../contracts/token-store/index.js'
import type { Role, TokenStore, User } from '../../contracts/token-store/index.js'
import { generateSecret } from '../../signing/secret-strength/index.js'
import { checkAdminPassword } from '../admin-password.js'
import type { Values } from './command.js'
import { ORG } from '../demo-source.js'
import { withStore } from './with-store.js'

const EMAIL = /^[^\s@]+@[^\s@]+$/

export async function createAdmin (
  { email, role = 'admin', org, reset = false, unlock = false, 'remove-factors': removeFactors = false }: Values
): Promise<void> {
  if (typeof email !== 'string' || !EMAIL.test(email) || email.length > 254) {
    throw new Error('create-admin requires --email <address>')
  }
  if (!ROLES.includes(role as Role)) throw new Error(`--role must be one of ${ROLES.join(', ')}`)

  const isChange = reset === true || unlock === true || removeFactors === true
  if (org !== undefined && (typeof org !== 'string' || isChange)) {
    throw new Error('--org must be the id of an organisation, without --reset, --unlock and --remove-factors')
  }

  if (removeFactors === true && (reset === true || unlock === true)) {
    throw new Error('--remove-factors must be alone, without --reset and --unlock')
  }

  await withStore(async (store, { admin: { password } }) => {
    if (removeFactors === true) return await removeSecondFactors(store, email.toLowerCase())
    if (unlock === true && reset !== true) return await unlockAdmin(store, email.toLowerCase())
    if (org !== undefined && await addExisting(store, email.toLowerCase(), org, role as Role)) return
    await checkAdminPassword({ email, password })
    const chosen = password ?? generateSecret()
    const passwordHash = await (await createPasswords()).hash(chosen)
    if (reset === true) await resetPassword(store, email.toLowerCase(), passwordHash)
    else await create(store, { orgId: org ?? ORG, email: email.toLowerCase(), passwordHash, role: role as Role })
    console.log(`${reset === true ? 'New password of' : 'Created'} ${email.toLowerCase()}`)
    if (password === null) console.log(`Password: ${chosen}`)
  })
}

/** Adds the account of an email to an organisation. Resolves with `false` if there is no such account. */
async function addExisting (
  { users, members, organisations, audit }: TokenStore,
  email: string,
  orgId: string,
  role: Role
): Promise<boolean> {
  if (await organisations.get(orgId) === null) {
    throw new Error(`there is no organisation ${orgId}; create it with \`fastify-gatehouse organisations create\``)
  }
  const user = await users.findByEmail(email)
  if (user === null) return false
  if (await members.get(orgId, user.id) !== null) throw new Error(`${email} is already a member of ${orgId}`)
  await members.add({ orgId, userId: user.id, role })
  await audit.append([{
    id: randomUUID(),
    orgId,
    action: 'user.added',
    userId: null,
    userEmail: null,
    resourceType: 'user',
    resourceId: user.id,
    changes: { role, by: 'command line' },
    ipAddress: null,
    userAgent: null,
    timestamp: Date.now()
  }])
  console.log(`Added ${email} to ${orgId} as ${role}; the password is unchanged`)
  return true
}

async function create (
  { users }: TokenStore,
  user: { orgId: string, email: string, passwordHash: string, role: Role }
): Promise<void> {
  try {
    await users.create(user)
  } catch (error) {
    if (error instanceof CONFLICT) throw new Error(`${user.email} already exists; use --reset to set a new password`)
    throw error
  }
}

/** Sets a new password, ends the user's sessions, because others may know the old password, and unlocks the account. */
async function resetPassword ({ users, sessions }: TokenStore, email: string, passwordHash: string): Promise<void> {
  const user = await found(users, email)
  await users.setPassword(user.id, passwordHash)
  await sessions.endAll(user.id)
  await users.unlock(loginSubject(email))
}

async function unlockAdmin ({ users }: TokenStore, email: string): Promise<void> {
  await found(users, email)
  await users.unlock(loginSubject(email))
  console.log(`Unlocked ${email}`)
}

/** Removes the factors of a user who has lost them, and ends the user's sessions, as another person may have them. */
async function removeSecondFactors ({ audit, factors, sessions, users }: TokenStore, email: string): Promise<void> {
  const user = await found(users, email)
  if (!await factors.removeAll(user.id)) throw new Error(`${email} has no second factor`)
  await sessions.endAll(user.id)
  await audit.append([{
    id: randomUUID(),
    orgId: user.orgId,
    action: 'auth.mfa_removed',
    userId: null,
    userEmail: null,
    resourceType: 'user',
    resourceId: user.id,
    changes: { method: 'all', by: 'command line' },
    ipAddress: null,
    userAgent: null,
    timestamp: Date.now()
  }])
  console.log(`Removed the second factors of ${email}`)
}

async function found (users: TokenStore['users'], email: string): Promise<User> {
  const user = await users.findByEmail(email)
  if (user === null) throw new Error(`there is no administrator ${email}`)
  return user
}
