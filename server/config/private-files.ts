import type { Stats } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

const GROUP_AND_OTHERS = 0o077
/** Write access for others would let them replace our folder. */
const WRITE_OF_OTHERS = 0o022

/**
 * Returns the content of a private file, or `null` if it does not exist. Only the current user may read or change the
 * file and its folder, and no other user may change the parent folder. Owners and modes are not checked on Windows.
 *
 * @throws Error with repair commands, if another user owns the file or folder or has access to it.
 */
export async function readPrivateFile (file: string): Promise<string | null> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (handle === null) return null
  try {
    const folder = dirname(file)
    assertPrivate(dirname(folder), await stat(dirname(folder)), WRITE_OF_OTHERS)
    assertPrivate(folder, await stat(folder), GROUP_AND_OTHERS)
    // Checks the open file, because another file may have replaced the path meanwhile.
    assertPrivate(file, await handle.stat(), GROUP_AND_OTHERS)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

function assertPrivate (path: string, stats: Stats, refusedModes: number): void {
  const user = process.getuid?.()
  if (user === undefined) return
  const mode = stats.isDirectory() ? '700' : '600'
  const repair = `chmod ${mode} ${quoted(path)}`
  if (stats.uid !== user) {
    throw new Error(`${path} belongs to another user (uid ${stats.uid}), who may have read or changed its secrets. ` +
      `If you trust that user, run: chown ${user} ${quoted(path)} && ${repair}`)
  }
  if ((stats.mode & refusedModes) === 0) return
  throw new Error(`${path} is accessible to other users (mode ${(stats.mode & 0o777).toString(8)}), who may have ` +
    `read or changed its secrets. If you trust those users, run: ${repair}`)
}

/** Quotes a path for a POSIX shell. */
function quoted (path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
