import type { Stats } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

const GROUP_AND_OTHERS = 0o077
/** With it another user can put a folder of their own in the place of ours. */
const WRITE_OF_OTHERS = 0o022

/**
 * The content of a file that only this user can read and change, in a folder of the same kind, which is in a folder that others cannot
 * change; `null` if there is no such file. Where the platform has no owners and modes (Windows), they are not checked.
 *
 * @throws an Error with the commands that help, for a file or folder that another user owns or that others may read, change or search
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
    // Of the file that is open: another one may stand in its place by now.
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
    throw new Error(`${path} belongs to another user (uid ${stats.uid}), who may have read or changed the secrets in it. If you trust them, run: ` +
      `chown ${user} ${quoted(path)} && ${repair}`)
  }
  if ((stats.mode & refusedModes) === 0) return
  throw new Error(`${path} is open to other users (mode ${(stats.mode & 0o777).toString(8)}), who may have read or changed the secrets in it. ` +
    `If you trust them, run: ${repair}`)
}

/** For a POSIX shell. */
function quoted (path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
