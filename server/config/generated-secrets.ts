import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { assertStrongSecret, generateSecret } from '../../signing/secret-strength/index.js'
import { readPrivateFile } from './private-files.js'

const FOLDER = 'secrets'

/** What a file system without hard links says. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'ENOSYS']

/**
 * The secret of this name, made at the first start and the same ever after: a file of mode 0600 in `<dataDir>/secrets`, a folder of
 * mode 0700. Of two processes that make one at the same time, both end with the same.
 *
 * @throws an Error that names the file when its content is no secret, or when another user owns it or may read or change it: a secret is
 *   never replaced without the operator, since data is sealed with it
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
    // A link appears whole or not at all, and never over one that is there.
    await link(draft, file).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return
      if (!NO_LINKS.includes(error.code ?? '')) throw error
      await rename(draft, file)
    })
  } finally {
    await rm(draft, { force: true })
  }
  const secret = await read(file)
  if (secret === null) throw new Error(`The generated secret in ${file} has gone`)
  return secret
}
