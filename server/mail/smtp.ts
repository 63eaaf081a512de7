import { importOptional } from '../../lib/optional-package.js'
import type { SendMail } from '../../routes/admin/users/index.js'
import { parseUrl } from '../../signing/parse-url.js'

export interface SmtpSettings {
  /** `smtp://` or `smtps://`. Its query may contain options of nodemailer, such as `?requireTLS=false`. */
  url: string
  /** The sender of all mails. */
  from: string
}

/** Milliseconds. Together less than the 20 seconds that adminUsers waits for a mail. */
const TIMEOUTS = { dnsTimeout: 5_000, connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 10_000 }
const MAX_CONNECTIONS = 2

/** Opens a pool of connections to an SMTP server. TLS is required, except on this machine. */
export async function openSmtp (
  { url, from }: SmtpSettings
): Promise<{ sendMail: SendMail, close: () => void }> {
  const { createTransport } = await importOptional('nodemailer', () => import('nodemailer'), 'SMTP_URL')
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: MAX_CONNECTIONS,
    requireTLS: !isLoopback(url),
    ...TIMEOUTS
  })
  return {
    async sendMail ({ to, subject, text }) {
      // An address as an object is not parsed, so that it is one recipient.
      await transport.sendMail({
        from,
        to: { name: '', address: to },
        subject,
        text,
        disableFileAccess: true,
        disableUrlAccess: true,
        // Stops automatic replies, such as those of holidays (RFC 3834).
        headers: { 'Auto-Submitted': 'auto-generated' }
      })
    },
    close: () => transport.close()
  }
}

function isLoopback (url: string): boolean {
  const host = parseUrl(url)?.hostname ?? ''
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d+){3}$/.test(host)
}
