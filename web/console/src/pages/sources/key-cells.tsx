import type { Reply } from '../../api/paths.ts'
import { Copyable } from '../../ui/copy.tsx'
import { Countdown } from '../../ui/countdown.tsx'
import { Badge } from '../../ui/layout.tsx'
import { Time } from '../../ui/time.tsx'

export type PipelineKey = Reply<'get', 'sources/{id}/keys'>['data'][number]

const SOON_MS = 14 * 86_400_000

/** What a key is called in sentences. */
export function nameOf ({ name }: Pick<PipelineKey, 'name'>): string {
  return name ?? 'Main key'
}

export function isExpired ({ expires_at: at }: Pick<PipelineKey, 'expires_at'>): boolean {
  return at !== null && Date.parse(at) <= Date.now()
}

export function KeyName ({ pipelineKey }: { pipelineKey: PipelineKey }) {
  const { enabled, domains } = pipelineKey
  const scope = domains === null ? null : domains.length === 0 ? 'Servers only' : domains.join(', ')
  return (
    <div class='key-name'>
      <span class='badges'>
        <strong>{nameOf(pipelineKey)}</strong>
        {enabled ? null : <Badge tone='bad'>Disabled</Badge>}
        {isExpired(pipelineKey) ? <Badge tone='bad'>Expired</Badge> : null}
      </span>
      {scope === null ? null : <small class='soft'>{scope}</small>}
    </div>
  )
}

/** The key, and the one that it has replaced while that still works. */
export function KeyValue (
  { pipelineKey: { pipeline_key: value, previous }, reload }: { pipelineKey: PipelineKey, reload: () => void }
) {
  return (
    <div class='key-value'>
      <Copyable value={value} what='pipeline key' />
      {previous === null
        ? null
        : (
          <small class='soft'>
            The old key <code title={previous.pipeline_key}>{previous.pipeline_key.slice(0, 14)}…</code> works for{' '}
            <Countdown to={previous.expires_at} onEnd={reload} />. Last used:{' '}
            <Time at={previous.last_used_at} never='never' />
          </small>
          )}
    </div>
  )
}

export function expiryOf (key: PipelineKey) {
  const { expires_at: at } = key
  if (at !== null && !isExpired(key) && Date.parse(at) - Date.now() < SOON_MS) {
    return <Badge tone='warning'><Time at={at} /></Badge>
  }
  return <Time at={at} />
}
