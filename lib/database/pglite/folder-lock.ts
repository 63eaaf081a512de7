import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, realpath, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { queryPeer, listenAt } from './lock-socket.js'
import { openSocketFolder } from './socket-folder.js'
import type { LockState } from './lock-socket.js'
import type { SocketFolder } from './socket-folder.js'

const LOCK_NAME = /^lock-[0-9a-f]{16}\.sock$/
const MAX_WAIT = 3_000
const POLL_INTERVAL = 20

/** A held lock of a folder. */
export interface FolderLock {
  release (): Promise<void>
}

/** The error when another live process has locked the folder. */
export class FolderLocked extends Error {
  override name = 'FolderLocked'
  readonly code = 'FOLDER_LOCKED'

  constructor (folder: string) {
    super(`The folder ${folder} is in use by another process; two processes would corrupt its data. ` +
      'Stop that process or choose another folder.')
  }
}

/**
 * Locks a folder for this process; creates it with mode 0700 if missing. The owner listens on a socket in the folder
 * that closes when the process ends, so the lock of a crashed process is free at once. Does not work on a network
 * share: a socket is visible on one machine only.
 *
 * @throws {FolderLocked} when a live process holds the lock
 */
export async function lockFolder (folder: string): Promise<FolderLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  return process.platform === 'win32' ? await lockByPipe(folder) : await lockBySocket(folder)
}

/**
 * Publishes its socket first, then looks for others: of two concurrent starters at least one sees the other, and the
 * lower name wins. Names are random and published only while the socket listens, so a socket that refuses is stale.
 */
async function lockBySocket (folder: string): Promise<FolderLock> {
  const sockets = await openSocketFolder(folder)
  const name = `lock-${randomBytes(8).toString('hex')}.sock`
  let state: LockState = 'starting'
  const close = await listenAt(sockets.path(`${name}.new`), () => state).catch(async (cause) => {
    await sockets.close()
    throw new Error(`The folder ${folder} cannot be locked: creating a socket in it failed`, { cause })
  })

  async function release () {
    await rm(join(folder, name), { force: true })
    await close()
    await sockets.close()
  }

  try {
    await rename(join(folder, `${name}.new`), join(folder, name))
    await waitForOthers(folder, sockets, name)
    state = 'owner'
    return { release }
  } catch (error) {
    await release()
    throw error
  }
}

/** Resolves when no other live lock exists. Throws when another process owns the folder or has a lower name. */
async function waitForOthers (folder: string, sockets: SocketFolder, name: string): Promise<void> {
  for (const deadline = Date.now() + MAX_WAIT; Date.now() < deadline; await sleep(POLL_INTERVAL)) {
    let others = 0
    for (const other of await readdir(folder)) {
      if (other === name || !LOCK_NAME.test(other)) continue
      const peer = await queryPeer(sockets.path(other))
      if (peer === 'dead') await rm(join(folder, other), { force: true })
      else if (peer === 'owner' || (peer === 'starting' && other < name)) throw new FolderLocked(folder)
      else others++
    }
    if (others === 0) return
  }
  throw new FolderLocked(folder)
}

/** A Windows named pipe has one server and closes with it, so it is a lock by itself. */
async function lockByPipe (folder: string): Promise<FolderLock> {
  const id = createHash('sha256').update((await realpath(folder)).toLowerCase()).digest('hex')
  try {
    return { release: await listenAt(`\\\\.\\pipe\\fastify-gatehouse-${id}`, () => 'owner') }
  } catch {
    throw new FolderLocked(folder)
  }
}
