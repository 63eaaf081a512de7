import t from 'tap'
import pg from 'pg'

import { privatePostgres } from '../../helpers/postgres.js'

t.test('a private PostgreSQL waits for the disk, and comes back after a kill with what was committed', async (t) => {
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
  await second.end()
  await server.stop()
})
