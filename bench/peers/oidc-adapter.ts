// The usual adapter of oidc-provider: one table of JSON payloads.
import type { Adapter, AdapterPayload } from 'oidc-provider'
import type pg from 'pg'

export const CREATE_TABLE = `
create table oidc_payloads (
  id text, type text, payload jsonb not null, grant_id text, uid text, user_code text,
  expires_at timestamptz, consumed_at timestamptz, primary key (type, id)
);
create index on oidc_payloads (grant_id);
create index on oidc_payloads (uid);
create index on oidc_payloads (user_code)`

interface Row {
  payload: AdapterPayload
  consumed_at: Date | null
}

export const postgresAdapter = (pool: pg.Pool) => (type: string): Adapter => {
  async function findBy (column: 'id' | 'uid' | 'user_code', value: string): Promise<AdapterPayload | undefined> {
    const { rows: [row] } = await pool.query<Row>({
      name: `oidc-${column}`,
      text: `select payload, consumed_at from oidc_payloads where type = $1 and ${column} = $2
        and (expires_at is null or expires_at > now())`,
      values: [type, value]
    })
    return row === undefined ? undefined : { ...row.payload, ...row.consumed_at === null ? {} : { consumed: true } }
  }

  return {
    find: (id) => findBy('id', id),
    findByUid: (uid) => findBy('uid', uid),
    findByUserCode: (userCode) => findBy('user_code', userCode),
    async upsert (id, payload, expiresIn) {
      await pool.query({
        name: 'oidc-upsert',
        text: `insert into oidc_payloads (type, id, payload, grant_id, uid, user_code, expires_at)
          values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
          on conflict (type, id) do update set payload = excluded.payload, expires_at = excluded.expires_at`,
        values: [type, id, payload, payload.grantId, payload.uid, payload.userCode, expiresIn]
      })
    },
    async consume (id) {
      await pool.query({
        name: 'oidc-consume',
        text: 'update oidc_payloads set consumed_at = now() where type = $1 and id = $2',
        values: [type, id]
      })
    },
    async destroy (id) {
      await pool.query('delete from oidc_payloads where type = $1 and id = $2', [type, id])
    },
    async revokeByGrantId (grantId) {
      await pool.query('delete from oidc_payloads where grant_id = $1', [grantId])
    }
  }
}
