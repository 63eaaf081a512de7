import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { useQuery } from '../../api/use-query.ts'
import { Copyable } from '../../ui/copy.tsx'
import { Badge, Facts, Page, Section } from '../../ui/layout.tsx'
import { ErrorNotice, Loading } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { Roles } from './roles.tsx'
import { Name, SecondFactor } from './settings.tsx'

const number = new Intl.NumberFormat()

/** The settings of the organisation, and what its roles may do. */
export default function OrganisationPage () {
  const { data, error, reload } = useQuery('organisation', (signal) => call('get', 'organisation', { signal }))
  return (
    <Page title='Organisation' lead='Sources, events, users and keys belong to an organisation.'>
      {data === undefined && error === undefined ? <Loading /> : null}
      <ErrorNotice error={error} retry={reload} />
      {data === undefined
        ? null
        : (
          <>
            <Section title={data.name}>
              <Facts
                items={[
                  ['Id', <Copyable value={data.id} what='id' />],
                  ['Second factor', data.mfa === 'required' ? <Badge tone='good'>Required</Badge> : <Badge>Optional</Badge>],
                  ['Users', <Limit value={data.max_users} what='members and open invitations' />],
                  ['Sources', <Limit value={data.max_sources} what='sources' />],
                  ['Created', <Time at={data.created_at} />]
                ]}
              />
            </Section>
            {may('owner') ? <Name key={data.name} organisation={data} onChanged={reload} /> : null}
            {may('owner') ? <SecondFactor organisation={data} onChanged={reload} /> : null}
          </>
          )}
      <Roles />
    </Page>
  )
}

function Limit ({ value, what }: { value: number | null, what: string }) {
  return value === null ? <span>No limit</span> : <span>At most {number.format(value)} {what}</span>
}
