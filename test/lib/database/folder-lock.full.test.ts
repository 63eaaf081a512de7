import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'

import { FolderLocked, lockFolder } from '../../../lib/database/pglite/folder-lock.js'
import { temporaryFolder } from '../../helpers/server-process.js'
import { startChild } from './fixtures/child.js'

t.test('a folder held by a live process is refused, with a message that names it', async (t) => {
  const folder = await temporaryFolder(t)
  const owner = startChild(t, 'hold-lock.ts', [folder])
  t.equal(await owner.firstLine, 'locked')

  await t.rejects(lockFolder(folder), {
    code: 'FOLDER_LOCKED',
    message: `The folder ${folder} is in use by another process`
  })
})

t.test('a stopped owner still holds its lock', async (t) => {
  const folder = await temporaryFolder(t)
  const owner = startChild(t, 'hold-lock.ts', [folder])
  t.equal(await owner.firstLine, 'locked')
  owner.process.kill('SIGSTOP')
  await t.rejects(lockFolder(folder), FolderLocked)
})

t.test('a lock left by kill -9 is taken over immediately, and its socket is removed', async (t) => {
  const folder = await temporaryFolder(t)
  const owner = startChild(t, 'hold-lock.ts', [folder])
  t.equal(await owner.firstLine, 'locked')
  await owner.kill()
  t.equal((await readdir(folder)).length, 1, 'the killed process left its socket')

  const lock = await lockFolder(folder)
  t.equal((await readdir(folder)).length, 1, 'only the new socket exists')
  await lock.release()
  t.strictSame(await readdir(folder), [])
})

t.test('exactly one of several processes that race for a stale lock succeeds', async (t) => {
  const folder = await temporaryFolder(t)
  for (let round = 0; round < 3; round++) {
    const at = String(Date.now() + 2_500)
    const starters = [1, 2, 3, 4].map(() => startChild(t, 'hold-lock.ts', [folder, at]))
    const said = await Promise.all(starters.map(({ firstLine }) => firstLine))
    t.equal(said.filter((line) => line === 'locked').length, 1, said.join(' | '))
    // The next round finds the winner's lock stale.
    await Promise.all(starters.map((starter) => starter.kill()))
  }
})

t.test('exactly one of many concurrent attempts within one process succeeds', async (t) => {
  const folder = await temporaryFolder(t)
  for (let round = 0; round < 20; round++) {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)))
    const won = results.flatMap((result) => result.status === 'fulfilled' ? [result.value] : [])
    if (won.length !== 1) t.fail(`${won.length} owners in round ${round}`)
    await Promise.all(won.map((lock) => lock.release()))
  }
})

t.test('a released lock can be taken again', async (t) => {
  const folder = await temporaryFolder(t)
  await (await lockFolder(folder)).release()
  const lock = await lockFolder(folder)
  await lock.release()
})

t.test('a lock does not keep its process alive', async (t) => {
  const owner = startChild(t, 'hold-lock.ts', [await temporaryFolder(t)])
  t.equal(await owner.firstLine, 'locked')
  owner.process.stdin?.end()
  await owner.exited
  t.equal(owner.process.exitCode, 0)
})

t.test('a folder is locked even if its path is longer than a socket address', {
  skip: process.platform !== 'linux'
}, async (t) => {
  const folder = join(await temporaryFolder(t), 'long'.repeat(30), 'deep'.repeat(30))
  const lock = await lockFolder(folder)
  t.match(await readdir(folder), [/^lock-/], 'the socket is in the folder')
  await t.rejects(lockFolder(folder), FolderLocked)
  await lock.release()
  t.strictSame(await readdir(folder), [])
})

t.test('a locked folder is accessible to its owner only', { skip: process.platform === 'win32' }, async (t) => {
  const folder = join(t.testdir({ open: {} }), 'open')
  const lock = await lockFolder(folder)
  t.equal((await stat(folder)).mode & 0o777, 0o700)
  await lock.release()
})

t.test('a folder in which no socket can be created is an error', async (t) => {
  const folder = t.testdir({ file: 'not a folder' })
  await t.rejects(lockFolder(join(folder, 'file')))
})
