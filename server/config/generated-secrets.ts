import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { assertStrongSecret, generateSecret } from '../../signing/secret-strength/index.js'
import { readPrivateFile } from './private-files.js'

const FOLDER = 'secrets'

/** Error codes of file systems without hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'ENOSYS']

/**
 * Returns the secret with this name. The first call creates it in `<dataDir>/secrets` (file mode 0600, folder mode
 * 0700); later calls return the same secret, even if two processes create it at the same time.
 *
 * @throws Error that names the file, if it contains no valid secret or if another user owns it or can read or change
 * it.
 *   The server never replaces an invalid secret by itself, because stored data may be encrypted with it.
 */
export async function generatedSecret (dataDir: string, name: string): Promise<string> {
  const file = join(dataDir, FOLDER, name)
  return await read(file) ?? await make(dataDir, file)
}

async function read (file: string): Promise<string | null> {
  const text = await readPrivateFile(file)
  if (text === null) return null
  const secret = text.trim()
  assertStrongSecret(`the generated secret in ${file}`, secret)
  return secret
}

async function make (dataDir: string, file: string): Promise<string> {
  for (const folder of [dataDir, join(dataDir, FOLDER)]) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o700)
  }
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(`${generateSecret()}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // A link is created atomically and never replaces an existing file.
    await link(draft, file).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return
      if (!NO_LINKS.includes(error.code ?? '')) throw error
      await rename(draft, file)
    })
  } finally {
    await rm(draft, { force: true })
  }
  const secret = await read(file)
  if (secret === null) throw new Error(`The generated secret in ${file} was deleted during the start`)
  return secret
}
