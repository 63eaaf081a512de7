import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Test } from 'tap'

import { openConsole } from './console.js'
import type { Console } from './console.js'
import { temporaryFolder } from './server-process.js'

export interface ConsoleWithMail extends Console {
  /** Resolves with the link of the mail to an address, on the origin of the page. */
  linkTo (email: string, kind: string): Promise<string>
}

/** A console whose server writes mails into files. */
export async function openConsoleWithMail (t: Test): Promise<ConsoleWithMail | null> {
  const dataDir = await temporaryFolder(t)
  const parts = await openConsole(t, { variables: { DATA_DIR: dataDir } })
  if (parts === null) return null
  async function linkTo (email: string, kind: string): Promise<string> {
    for (;;) {
      for (const name of (await readdir(join(dataDir, 'outbox')).catch(() => [])).reverse()) {
        const content = name.includes(`-${kind}-`) ? await readFile(join(dataDir, 'outbox', name), 'utf8') : ''
        const [link] = content.includes(`To: ${email}\n`) ? /^http\S+$/m.exec(content) ?? [] : []
        if (link !== undefined) return link
      }
      await sleep(10)
    }
  }
  return { ...parts, linkTo }
}
