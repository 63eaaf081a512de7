import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { useQuery } from '../../api/use-query.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/field.tsx'
import { Badge, Facts, Section } from '../../ui/layout.tsx'
import { inFull, share } from '../../ui/number.ts'
import { ErrorNotice, Loading } from '../../ui/states.tsx'
import { Meter } from '../../ui/tiles.tsx'
import type { TabProps } from './source.tsx'
import { usePatch } from './use-patch.ts'

/** From which share of a quota on administrators are warned, as the notices of the server. */
const WARNING = 0.8

/** How many events a source may send, and how many it has sent. */
export function Limits (props: TabProps) {
  const { source } = props
  const { rate_limit: rate } = source
  const save = usePatch(props)
  const form = useForm(async (values) => {
    await save({
      rate_limit: numberIn(values['rate_limit']),
      ...may('admin')
        ? { daily_quota: numberIn(values['daily_quota']), monthly_quota: numberIn(values['monthly_quota']) }
        : {}
    })
  })
  return (
    <Section title='Limits' lead='Events above a limit are refused with 429, so that clients try them again.'>
      <Use {...props} />
      <ErrorNotice error={form.error} />
      {may('editor')
        ? (
          <form {...form.props} class='stack'>
            <div class='fields'>
              {may('admin')
                ? (
                  <>
                    <Amount name='daily_quota' label='Events a day' form={form} value={source.daily_quota} hint='UTC. Empty: no limit.' />
                    <Amount name='monthly_quota' label='Events a month' form={form} value={source.monthly_quota} hint='UTC. Empty: no limit.' />
                  </>
                  )
                : null}
              <Amount
                name='rate_limit' label='Events a second' form={form} value={rate} max={1_000_000}
                hint='Empty: the default of the server.'
              />
            </div>
            <div class='actions'><Button kind='primary' type='submit' busy={form.busy}>Save</Button></div>
          </form>
          )
        : <Facts items={[['Events a second', rate === null ? 'The default of the server' : inFull(rate)]]} />}
    </Section>
  )
}

interface AmountProps {
  name: string
  label: string
  hint: string
  value: number | null
  max?: number
  form: ReturnType<typeof useForm>
}

function Amount ({ value, max = 1_000_000_000_000, ...rest }: AmountProps) {
  return <TextField {...rest} type='number' inputMode='numeric' min={1} max={max} step={1} defaultValue={value ?? ''} />
}

function numberIn (text: string | undefined): number | null {
  return text === undefined || text.trim() === '' ? null : Number(text)
}

/** The stored events of the present day and month, as the quotas count them. */
function Use ({ source: { id, daily_quota: daily, monthly_quota: monthly } }: TabProps) {
  const { data, error, reload } = useQuery(`use ${id}`, async (signal) => {
    const now = new Date()
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth())).toISOString()
    const { times, events } = await call('get', 'stats', { query: { from: month, interval: 'day', source_id: id }, signal })
    const { accepted } = events.series
    return {
      // The last point is the present day.
      day: times.at(-1)?.slice(0, 10) === now.toISOString().slice(0, 10) ? accepted.at(-1) ?? 0 : 0,
      month: accepted.reduce((sum, value) => sum + value, 0)
    }
  })
  if (data === undefined) {
    return error === undefined ? <Loading lines={2} /> : <ErrorNotice error={error} retry={reload} />
  }
  return (
    <dl class='uses'>
      <QuotaUse label='Today' used={data.day} quota={daily} />
      <QuotaUse label='This month' used={data.month} quota={monthly} />
    </dl>
  )
}

function QuotaUse ({ label, used, quota }: { label: string, used: number, quota: number | null }) {
  const part = quota === null ? 0 : used / quota
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <span class='value'>{inFull(used)}</span>{' '}
        <span class='soft'>
          {quota === null ? 'events, no limit' : `of ${inFull(quota)} events (${share(used, quota)})`}
        </span>{' '}
        {part >= 1
          ? <Badge tone='bad'>Used up</Badge>
          : part >= WARNING ? <Badge tone='warning'>Almost used up</Badge> : null}
      </dd>
      {quota === null
        ? null
        : <dd class={part >= WARNING ? 'bad' : undefined}><Meter part={Math.min(used, quota)} total={quota} /></dd>}
    </div>
  )
}
