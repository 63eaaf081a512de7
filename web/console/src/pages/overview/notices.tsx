import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { inFull } from '../../ui/number.ts'
import { Notice as Remark } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { canOpen } from '../index.ts'
import type { Notice } from './data.ts'

const SHOWN = 3

/** What ends or is used up soon; the server sends it to admins and owners. */
export function Notices ({ notices }: { notices: readonly Notice[] }) {
  const [all, setAll] = useState(false)
  if (notices.length === 0) return null
  const hidden = notices.length - SHOWN
  return (
    <section class='stack notices' aria-label='Notices'>
      {notices.slice(0, all ? undefined : SHOWN).map((notice) => (
        <Remark key={keyOf(notice)} kind={notice.type === 'quota.exceeded' ? 'bad' : 'warning'}>
          <p><Sentence notice={notice} /></p>
        </Remark>
      ))}
      {hidden <= 0
        ? null
        : (
          <Button kind='ghost' aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? 'Show fewer' : `Show ${inFull(hidden)} more`}
          </Button>
          )}
    </section>
  )
}

function keyOf ({ type, subject, resource_id: id, key_name: key, quota, ends_at: end }: Notice): string {
  return [type, subject, id, key, quota?.period, end].join(' ')
}

function Sentence ({ notice }: { notice: Notice }) {
  const { type, subject, name, key_name: key, ends_at: end, quota } = notice
  const subjectLink = <Subject notice={notice}>{name}</Subject>
  if (quota !== null) {
    const used = `${inFull(quota.used)} of ${inFull(quota.limit)} events`
    const period = quota.period === 'day' ? 'today' : 'this month'
    return type === 'quota.exceeded'
      ? (
        <>
          {subjectLink} has used up its quota of {inFull(quota.limit)} events {period}. Further events are refused. The
          quota starts again <Time at={end} />.
        </>
        )
      : <>{subjectLink} has used {used} {period}. The quota starts again <Time at={end} />.</>
  }
  if (subject === 'api_key') return <>The API key {subjectLink} stops working <Time at={end} />.</>
  if (subject === 'replaced_pipeline_key') {
    return <>The pipeline key of {subjectLink} that was rotated stops working <Time at={end} />.</>
  }
  return key === null
    ? <>The pipeline key of {subjectLink} stops working <Time at={end} />.</>
    : <>The pipeline key “{key}” of {subjectLink} stops working <Time at={end} />.</>
}

function Subject ({ notice: { subject, resource_id: id }, children }: { notice: Notice, children: ComponentChildren }) {
  if (subject !== 'api_key') return <a href={at('sources/:id', { id })}>{children}</a>
  return canOpen('api-keys') ? <a href={at('api-keys')}>{children}</a> : <strong>{children}</strong>
}
