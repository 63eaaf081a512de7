// Stores the rows of the token store by SQL.
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'

import type { Database } from '../../lib/database/open-database.js'
import { sealSecret } from '../../plugins/token-store/sql/sealed-secrets.js'
import { secretBox } from '../../signing/secret-box.js'
import { idOf, ORG } from './sizes.js'
import type { Sizes } from './sizes.js'

const SLICE = 10_000
const DAYS_OF_AUDIT = 88

const numbers = (count: number) => sql`generate_series(1, ${sql.lit(count)}) n`
const id = (kind: string) => sql`md5(${sql.lit(kind)} || n)::uuid::text`
/** Ten per cent of the rows belong to another organisation. */
const org = sql`case when n % 10 = 9 then 'other' else ${sql.lit(ORG)} end`
/** A time in the last days; the rows are in its order. */
const ago = (count: number, days: number) =>
  sql`date_trunc('milliseconds', now() - (1 - n::float8 / ${
    sql.lit(count)}) * interval '${sql.raw(String(days))} days')`

const users = ({ users: count }: Sizes) => [
  sql`insert into organisations (id, name, created_at) values (${sql.lit(ORG)}, 'Default', now()), ('other', 'Other', now())
    on conflict do nothing`,
  sql`update organisations set max_sources = 10000000`,
  sql`insert into users (id, email, password_hash, epoch, created_at)
    select ${id('user')}, 'user' || n || '@example.com', '', 0, ${ago(count, 300)} from ${numbers(count)}`,
  sql`insert into memberships (org_id, user_id, role, created_at)
    select ${org}, ${id('user')}, 'viewer', ${ago(count, 300)} from ${numbers(count)}`,
  sql`insert into invitations (id, org_id, email, role, invited_by, digest, created_at, expires_at)
    select ${id('invitation')}, ${org}, 'new' || n || '@example.com', 'viewer', 'admin', md5('invitation' || n),
      ${ago(count, 7)}, now() + interval '7 days' from ${numbers(Math.ceil(count / 10))}`
]

const sessions = ({ sessions: count, users: people }: Sizes) => [
  sql`insert into sessions (id, user_id, org_id, refresh_digest, created_at, last_used_at, ends_at, ip, user_agent)
    select ${id('session')}, users.id, memberships.org_id, encode(sha256(convert_to('session' || n, 'UTF8')), 'hex'),
      ${ago(count, 7)}, ${ago(count, 2)}, now() + (1 + n % 29) * interval '1 day', '203.0.113.9',
      'Mozilla/5.0 (X11; Linux x86_64)'
    from ${numbers(count)}
      join users on users.id = md5('user' || 1 + n % ${sql.lit(people)})::uuid::text
      join memberships on memberships.user_id = users.id`
]

const sources = ({ sources: count }: Sizes) => [
  sql`insert into sources (id, org_id, name, environment, server_secret_prefix, domains, allow_any_origin,
      require_signature, require_timestamp, enabled, rate_limit, pixel_types, created_at, updated_at)
    select ${id('source')}, ${org}, 'Shop ' || n, 'live', 'whsec_', json_build_array('shop-' || n || '.example.com'),
      false, 'never', false, true, null, '["track","page"]', ${ago(count, 300)}, now() from ${numbers(count)}`,
  sql`insert into pipeline_keys (key, org_id, source_id, id, added_at)
    select 'dk_live_' || md5('key' || n), ${org}, ${id('source')}, 'pk_' || md5('pk' || n), now()
    from ${numbers(count)}`,
  sql`insert into webhooks (id, source_id, name, provider, secret_prefix, enabled, created_at, updated_at)
    select 'wh_' || md5('webhook' || n), ${sql.lit(idOf('source', 1))}, 'Webhook ' || n, 'stripe', 'whsec_', true,
      ${ago(count, 300)}, now() from ${numbers(Math.ceil(count / 500))}`
]

const audit = ({ audit: count }: Sizes) => [
  sql`insert into audit_log (id, org_id, action, user_id, user_email, resource_type, resource_id, changes, ip_address,
      user_agent, timestamp)
    select ${id('audit')}, ${org}, action, 'viewer-' || n % 50000, null, split_part(action, '.', 1), 'dash-' || n % 500,
      '{"outcome":"granted","tenant":"north","token":"8f14e45fceea167a"}', '203.0.113.9',
      'Mozilla/5.0 (X11; Linux x86_64)', ${ago(count, DAYS_OF_AUDIT)}
    from ${numbers(count)}, lateral (select case
      when n % 1000 = 1 then 'source.updated' when n % 5000 = 2 then 'user.updated' when n % 100 < 4 then 'auth.login'
      when n % 100 < 10 then 'guest_token.refused' when n % 100 < 40 then 'widget_token.minted'
      when n % 100 < 60 then 'embed.authorized' else 'guest_token.minted' end as action) a`
]

const others = ({ ids, refused, revocations }: Sizes) => [
  sql`insert into event_ids (id, seen_at) select md5('id' || n)::uuid, ${ago(ids, 1)} from ${numbers(ids)}`,
  sql`insert into refused_events (id, org_id, source_id, code, reason, ip, path, signed, received_at, bytes, payload)
    select 'ref_' || md5('refused' || n), sources.org_id, sources.id,
      case when n % 100 = 0 then 'INVALID_SIGNATURE' else 'INVALID_REQUEST' end, 'A reason', '203.0.113.9', '/v1/t',
      false, ${ago(refused, 7)}, 500, repeat(md5(n::text), 15)
    from ${numbers(refused)} join sources on sources.id = md5('source' || 1 + n % 100)::uuid::text`,
  sql`insert into revocations (id, org_id, kind, subject, cutoff, created_at)
    select ${id('revocation')}, ${org}, 'user', 'viewer-' || n, now(), ${ago(revocations, 30)}
    from ${numbers(revocations)}`
]

const STEPS: Readonly<Record<string, (sizes: Sizes) => Array<RawBuilder<unknown>>>> = {
  users, sessions, sources, audit, others
}

/** Yields the name of each step after it. */
export async function * fillRows ({ patient }: Database, sizes: Sizes, secretsKey: string): AsyncGenerator<string> {
  for (const [name, statements] of Object.entries(STEPS)) {
    for (const statement of statements(sizes)) await statement.execute(patient)
    yield name
  }
  const box = secretBox([secretsKey])
  for (let from = 1; from <= sizes.sources; from += SLICE) {
    const rows = Array.from({ length: Math.min(SLICE, sizes.sources + 1 - from) }, (_, at) => {
      const [id, ownerId] = [idOf('secret', from + at), idOf('source', from + at)]
      return { id, ownerId, sealed: sealSecret(box, { table: 'server_secrets', ownerId, id }, Buffer.alloc(32, at)) }
    })
    const column = (name: keyof typeof rows[number]) => sql`${rows.map((row) => row[name])}::text[]`
    await sql`insert into server_secrets (id, source_id, sealed)
      select * from unnest(${column('id')}, ${column('ownerId')}, ${column('sealed')})`.execute(patient)
  }
  yield 'secrets'
}
