import { useEffect, useRef } from 'preact/hooks'

import { useStore } from '../../console/src/api/store.ts'
import { calls } from './timeline.ts'
import type { Call, Party, Topic } from './timeline.ts'

const NAMES: Record<Party, string> = {
  browser: 'Browser',
  server: 'Your server',
  backend: 'Your backend',
  databrain: 'DataBrain',
  boldbi: 'Bold BI',
  dxfeed: 'dxFeed',
  attacker: 'Attacker'
}
const MILLISECONDS = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 })

interface TimelineProps {
  topic: Topic
  /** Shows the calls after this one. */
  since: number
  hasSession: boolean
  /** The embed is not shown on this page, so no requests are expected. */
  idle?: boolean
}

/** The requests of one topic, oldest first. */
export function Timeline ({ topic, since, hasSession, idle = false }: TimelineProps) {
  const shown = useStore(calls).filter((call) => call.topic === topic && call.id > since)
    .sort((first, second) => first.at - second.at)
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => {
    const element = list.current
    if (element !== null) element.scrollTop = element.scrollHeight
  }, [shown.length])

  if (shown.length === 0) {
    return (
      <p class='remark'>
        {idle || !hasSession ? 'There are no requests to show.' : 'Waiting for the first request…'}
      </p>
    )
  }
  return (
    <ol class='calls' ref={list} tabIndex={0} aria-label='Requests'>
      {shown.map((call) => <CallItem key={call.id} call={call} />)}
    </ol>
  )
}

function CallItem ({ call }: { call: Call }) {
  const { from, to, method, path, headers, status, milliseconds, code, message } = call
  const failed = status >= 400 || code !== null
  return (
    <li class={failed ? 'call failed' : 'call'}>
      <div class='call-line'>
        <span class={`party ${from}`}>{NAMES[from]}</span>
        <span aria-label='to' role='img' class='arrow'>→</span>
        <span class={`party ${to}`}>{NAMES[to]}</span>
        <span class='outcome'>
          <b class={failed ? 'status failed' : 'status'}>{status}</b>
          <span class='soft'>{MILLISECONDS.format(milliseconds)} ms</span>
        </span>
      </div>
      <code class='request'><b>{method}</b> {path}</code>
      {headers.length > 0 && <code class='headers'>{headers.join(' · ')}</code>}
      {(code !== null || message !== null) && (
        <p class={failed ? 'reason' : 'soft reason'}>{code !== null && <code>{code}</code>} {message}</p>
      )}
    </li>
  )
}
