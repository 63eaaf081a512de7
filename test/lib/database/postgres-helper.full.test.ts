import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'
import pg from 'pg'

import { privatePostgres } from '../../helpers/postgres.js'

t.test('a private PostgreSQL waits for the disk, keeps committed rows after a kill, and can be paused', async (t) => {
  const server = await privatePostgres(t)
  if (server === null || !server.ownServer) return
  const first = new pg.Client({ connectionString: server.url })
  first.on('error', () => {})
  await first.connect()
  t.equal((await first.query('show fsync')).rows[0].fsync, 'on')
  await first.query('create table kept (n int)')
  await first.query('insert into kept values (7)')
  await server.kill()

  await server.start()
  const second = new pg.Client({ connectionString: server.url })
  await second.connect()
  t.strictSame((await second.query('select n from kept')).rows, [{ n: 7 }])

  await server.pause()
  let answered = false
  const third = second.query('select 1').then(() => {
    answered = true
  })
  await sleep(500)
  t.notOk(answered, 'while it is paused')
  await server.resume()
  await third
  await second.end()
  await server.pause()
  await server.kill()
  await server.start()
  await server.stop()
})
