import { sql } from 'kysely'

import type { Database } from '../lib/database/open-database.js'
import { eventPartitions } from '../plugins/event-sink/sql/partitions.js'

const DAY = 86_400_000
/** Number of days that the events are distributed over. */
const DAYS = 20

/** 0.1 % of the events belong to another organization, 90 % are tracks, none is an alias, and 2 % have 20 KB. */
export async function fillLists (
  database: Database,
  { events, orgId = 'bench' }: { events: number, orgId?: string }
): Promise<void> {
  const partitions = await eventPartitions(database)
  for (let day = DAYS; day >= 0; day -= 4) await partitions.prepare(Date.now() - day * DAY)
  await sql`
    insert into events (org_id, source_id, message_id, type, auth_method, received_at, timestamp, ip, user_agent, payload, additions)
    select case when n % 1000 = 0 then 'other' else ${sql.lit(orgId)} end, 'source-' || n % 20, 'm' || n,
      case n % 20 when 7 then 'page' when 13 then case when n % 2000 < 20 then 'identify' else 'track' end else 'track' end,
      'key', at, at, '203.0.113.9', 'Mozilla/5.0',
      json_build_object('event', 'Order ' || n, 'userId', 'u' || n % 5000,
        'properties', json_build_object('total', n, 'text', repeat(md5(n::text), case when n % 50 = 0 then 640 else 6 end))),
      '{"timestamp":"2026-01-01T00:00:00.000Z"}'
    from generate_series(1, ${sql.lit(events)}) n,
      lateral (select date_trunc('milliseconds', now() - (${sql.lit(events)} - n) * interval '${
    sql.raw(String(DAYS * DAY / events))
  } milliseconds') as at) t`
    .execute(database.patient)
  await sql`
    insert into audit_log (id, org_id, action, user_id, resource_type, resource_id, changes, timestamp)
    select 'a' || n, ${sql.lit(orgId)}, case when n % 1000 = 0 then 'source.updated' else 'guest_token.minted' end, 'u' || n % 500,
      case when n % 1000 = 0 then 'source' else 'guest_token' end, 'r' || n, '{"outcome":"granted"}', now() - n * interval '1 second'
    from generate_series(1, ${sql.lit(events / 10)}) n`.execute(database.patient)
  if (database.kind === 'postgres') await sql`analyze`.execute(database.patient)
}
