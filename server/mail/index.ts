import type { FastifyBaseLogger } from 'fastify'

import type { SendMail } from '../../routes/admin/users/index.js'
import type { Config } from '../config/index.js'
import { openOutbox } from './outbox.js'
import { openSmtp } from './smtp.js'

/** How the server sends mails. */
export interface Mail {
  sendMail: SendMail
  /** Logs where mails go, if they do not go to an SMTP server. */
  announce (log: FastifyBaseLogger): void
  close (): void
}

/** Opens the SMTP server of `SMTP_URL`; without it, mails become files in `DATA_DIR/outbox`. */
export async function openMail ({ smtp, dataDir, production }: Config): Promise<Mail> {
  if (smtp !== null) return { ...await openSmtp(smtp), announce: () => {} }
  const { folder, sendMail } = openOutbox(dataDir)
  return {
    sendMail,
    announce (log) {
      log[production ? 'warn' : 'info']({ outbox: folder }, 'SMTP_URL is not set: mails are written to files in "outbox"')
    },
    close: () => {}
  }
}
