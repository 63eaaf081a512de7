import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** Where a server program is that the packages of a system put beside the path of its users; `null` if nowhere. */
export async function findBinary (name: string): Promise<string | null> {
  for (const folder of ['/usr/sbin', '/usr/local/sbin', ...(process.env.PATH ?? '').split(delimiter)]) {
    const file = join(folder, name)
    if (await access(file).then(() => true, () => false)) return file
  }
  return null
}
