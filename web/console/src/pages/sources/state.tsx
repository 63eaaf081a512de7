import type { Reply } from '../../api/paths.ts'
import { Badge } from '../../ui/layout.tsx'

export type Source = Reply<'get', 'sources/{id}'>

/** Whether a source accepts events, and of which environment. */
export function State ({ source: { enabled, environment } }: { source: Pick<Source, 'enabled' | 'environment'> }) {
  return (
    <span class='badges'>
      {enabled ? <Badge tone='good'>Enabled</Badge> : <Badge tone='bad'>Disabled</Badge>}
      {environment === 'test' ? <Badge>Test</Badge> : null}
    </span>
  )
}

/** From where a source accepts pages. */
export function Domains ({ source: { domains, allow_any_origin: isOpen } }: { source: Source }) {
  if (isOpen) return <Badge tone='warning'>Any origin</Badge>
  if (domains.length === 0) return <span class='soft'>None: servers only</span>
  const [first, ...others] = domains
  return <span title={domains.join('\n')}>{first}{others.length === 0 ? '' : ` and ${others.length} more`}</span>
}
