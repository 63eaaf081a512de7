import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, realpath, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { askPeer, listenAt } from './lock-socket.js'
import { openSocketFolder } from './socket-folder.js'
import type { LockState } from './lock-socket.js'
import type { SocketFolder } from './socket-folder.js'

const LOCK = /^lock-[0-9a-f]{16}\.sock$/
const PATIENCE = 3_000
const PAUSE = 20

export interface FolderLock {
  release (): Promise<void>
}

/** Another live process holds the folder. */
export class FolderLocked extends Error {
  override name = 'FolderLocked'
  readonly code = 'FOLDER_LOCKED'

  constructor (folder: string) {
    super(`The folder ${folder} is in use by another running process; a second one would destroy its data. Stop that process or choose another folder.`)
  }
}

/**
 * Takes a folder (made with mode 0700 when missing) for this process. The owner listens on a socket inside it, which dies with the
 * process however it ends, so a lock left by a crash is taken over at once. Not for a network share: a socket is known to one machine.
 *
 * @throws {FolderLocked} when a live process holds it
 */
export async function lockFolder (folder: string): Promise<FolderLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  return process.platform === 'win32' ? await lockByPipe(folder) : await lockBySocket(folder)
}

/**
 * Publish first, then look at the others: of two starters at least one sees the other, and the one whose name sorts first stays.
 * A name is random, never used twice, and published only once it is listened on, so one that refuses is dead for good.
 */
async function lockBySocket (folder: string): Promise<FolderLock> {
  const sockets = await openSocketFolder(folder)
  const name = `lock-${randomBytes(8).toString('hex')}.sock`
  let state: LockState = 'starting'
  const close = await listenAt(sockets.path(`${name}.new`), () => state).catch(async (cause) => {
    await sockets.close()
    throw new Error(`The folder ${folder} cannot be locked: no socket can be made in it`, { cause })
  })

  async function release () {
    await rm(join(folder, name), { force: true })
    await close()
    await sockets.close()
  }

  try {
    await rename(join(folder, `${name}.new`), join(folder, name))
    await outwait(folder, sockets, name)
    state = 'owner'
    return { release }
  } catch (error) {
    await release()
    throw error
  }
}

/** Returns once no other live lock is there; throws when one is owned or has the better claim. */
async function outwait (folder: string, sockets: SocketFolder, name: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await sleep(PAUSE)) {
    let rivals = 0
    for (const other of await readdir(folder)) {
      if (other === name || !LOCK.test(other)) continue
      const peer = await askPeer(sockets.path(other))
      if (peer === 'dead') await rm(join(folder, other), { force: true })
      else if (peer === 'owner' || (peer === 'starting' && other < name)) throw new FolderLocked(folder)
      else rivals++
    }
    if (rivals === 0) return
  }
  throw new FolderLocked(folder)
}

/** A named pipe of Windows lives as long as its server and has one server only, so it is a lock by itself. */
async function lockByPipe (folder: string): Promise<FolderLock> {
  const id = createHash('sha256').update((await realpath(folder)).toLowerCase()).digest('hex')
  try {
    return { release: await listenAt(`\\\\.\\pipe\\fastify-gatehouse-${id}`, () => 'owner') }
  } catch {
    throw new FolderLocked(folder)
  }
}
