import { setTimeout as sleep } from 'node:timers/promises'

import type { Test } from 'tap'

import adminUsers from '../../routes/admin/users/index.js'
import type { AdminUsersOptions, MailKind, MailMessage } from '../../routes/admin/users/index.js'
import { adminApp, SECRET } from './admin.js'
import type { AdminApp, AdminAppOptions } from './admin.js'

export const LINK_URL = 'https://app.example.com/account'

export interface UsersApp extends AdminApp {
  /** The sent mails, oldest first. */
  outbox: MailMessage[]
  /** Resolves with the mails of a kind, once there are `count` (1) of them. */
  mails (kind: MailKind, count?: number): Promise<MailMessage[]>
  /** Resolves with the token in the latest mail of a kind, once there are `count` (1) of them. */
  tokenOf (kind: MailKind, count?: number): Promise<string>
}

export interface UsersAppOptions extends AdminAppOptions {
  users?: Partial<AdminUsersOptions>
}

/** The routes of `adminApp` and `adminUsers`, without rate limits unless the test sets some. Mails go to `outbox`. */
export async function usersApp (t: Test, { users, ...options }: UsersAppOptions = {}): Promise<UsersApp> {
  const admin = await adminApp(t, options)
  const outbox: MailMessage[] = []
  await admin.app.register(adminUsers, {
    jwtSecrets: [SECRET],
    now: () => admin.clock.now,
    linkUrl: LINK_URL,
    sendMail: async (mail) => { outbox.push(mail) },
    userRateLimit: false,
    tokenRateLimit: false,
    mailRateLimit: false,
    rateLimit: false,
    resetRateLimit: false,
    ...users
  })

  async function mails (kind: MailKind, count = 1): Promise<MailMessage[]> {
    const deadline = Date.now() + 60_000
    for (;;) {
      const found = outbox.filter((mail) => mail.kind === kind)
      if (found.length >= count) return found
      if (Date.now() > deadline) throw new Error(`only ${found.length} of ${count} mails ${kind} were sent`)
      await sleep(5)
    }
  }

  return {
    ...admin,
    outbox,
    mails,
    tokenOf: async (kind, count = 1) => tokenIn((await mails(kind, count)).at(-1))
  }
}

/** Returns the token of the link in a mail. */
export function tokenIn (mail: MailMessage | undefined): string {
  const [, token] = /#\/\w+\?token=(\S+)$/m.exec(mail?.text ?? '') ?? []
  if (token === undefined) throw new Error(`no link in the mail ${mail?.kind}`)
  return token
}
