import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { waitAtMost, withDeadline } from '../../../lib/deadline.js'
import { UNAVAILABLE } from '../../../lib/errors.js'

/** The reasons for a mail. */
export type MailKind = 'invitation' | 'password_reset' | 'password_changed' | 'email_change' | 'email_changed'

/** A mail to one address, as plain text. */
export interface MailMessage {
  /** An email address without a name. */
  to: string
  /** One line. */
  subject: string
  text: string
  kind: MailKind
  /** The link in the text, for a host that writes its own text; `null` for a notice. It contains a secret token. */
  link: string | null
}

/** Sends a mail. A rejection means that the mail was not sent. */
export type SendMail = (message: MailMessage) => Promise<unknown>

export interface Mailer {
  /** Sends a mail within the time limit. Rejects with `UNAVAILABLE` and the message for the caller. */
  send (request: FastifyRequest, mail: MailMessage, onFailure: string): Promise<void>
  /** Runs work that ends with mails after the response, so that its duration shows nothing. Failures are logged. */
  afterResponse (request: FastifyRequest, reply: FastifyReply, work: () => Promise<readonly MailMessage[]>): void
}

/** Milliseconds. */
const SEND_LIMIT = 20_000
const CLOSE_LIMIT = 5_000
const MAX_PENDING = 1_000

export function createMailer (scope: FastifyInstance, sendMail: SendMail): Mailer {
  const pending = new Set<Promise<void>>()

  async function sendInTime (mail: MailMessage): Promise<void> {
    const sending = Promise.resolve(mail).then(sendMail)
    await withDeadline(sending, SEND_LIMIT, () => new Error(`sendMail did not end within ${SEND_LIMIT} ms`))
  }

  function logFailure ({ log }: FastifyRequest, error: unknown, mail?: MailMessage): void {
    log.error({ kind: mail?.kind, err: withoutToken(error, mail?.link ?? null) }, 'mail not sent')
  }

  async function run (request: FastifyRequest, work: () => Promise<readonly MailMessage[]>): Promise<void> {
    try {
      const mails = await work()
      await Promise.all(
        mails.map((mail) => sendInTime(mail).catch((error: unknown) => logFailure(request, error, mail)))
      )
    } catch (error) {
      logFailure(request, error)
    }
  }

  scope.addHook('onClose', async function finishMails () {
    await waitAtMost(Promise.all(pending), CLOSE_LIMIT)
  })

  return {
    async send (request, mail, onFailure) {
      try {
        await sendInTime(mail)
      } catch (error) {
        logFailure(request, error, mail)
        throw new UNAVAILABLE({ message: onFailure, reason: 'sendMail failed' })
      }
    },

    afterResponse (request, reply, work) {
      if (pending.size >= MAX_PENDING) return logFailure(request, new Error('too many mails wait to be sent'))
      const responded = new Promise<void>((resolve) => {
        for (const event of ['finish', 'close']) reply.raw.once(event, () => resolve())
      })
      const running = responded.then(() => run(request, work)).finally(() => pending.delete(running))
      pending.add(running)
    }
  }
}

/** Returns a copy of an error for the log, without the token of the link. A host may put the mail into the message. */
function withoutToken (error: unknown, link: string | null): Error {
  const known: NodeJS.ErrnoException = error instanceof Error ? error : new Error('sendMail rejected without an Error')
  const { name, message, stack, code } = known
  const [, token = ''] = link?.split('token=') ?? []
  const mask = (text: string) => token === '' ? text : text.replaceAll(token, '[token]')
  const copy: NodeJS.ErrnoException = new Error(mask(message))
  copy.name = name
  copy.stack = mask(stack ?? '')
  if (typeof code === 'string') copy.code = code
  return copy
}
