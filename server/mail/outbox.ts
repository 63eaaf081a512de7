import { randomBytes } from 'node:crypto'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import type { SendMail } from '../../routes/admin/users/index.js'

const FOLDER = 'outbox'

/**
 * Writes each mail as a file `<time>-<kind>-<random>.txt` in `<dataDir>/outbox`. Only the current user can read the
 * folder (mode 0700) and the files (mode 0600), because the mails contain tokens. The first mail creates the folder.
 */
export function openOutbox (dataDir: string): { folder: string, sendMail: SendMail } {
  const folder = resolve(dataDir, FOLDER)
  return {
    folder,
    async sendMail ({ to, subject, text, kind }) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await chmod(folder, 0o700)
      const date = new Date().toISOString()
      const name = `${date.replace(/[:.]/g, '-')}-${kind}-${randomBytes(4).toString('hex')}.txt`
      const content = `Date: ${date}\nTo: ${to}\nSubject: ${subject}\n\n${text}`
      await writeFile(join(folder, name), content, { flag: 'wx', mode: 0o600 })
    }
  }
}
