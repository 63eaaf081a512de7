import { may } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { CheckField, SelectField } from '../../ui/field.tsx'
import { Facts, Section } from '../../ui/layout.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import type { TabProps } from './source.tsx'
import type { Source } from './state.tsx'
import { usePatch } from './use-patch.ts'
import type { SourcePatch } from './use-patch.ts'

const BOTS = [['tag', 'Store and mark them'], ['drop', 'Do not store them'], ['ignore', 'Do not look for bots']] as const
const SIGNATURES = [
  ['never', 'Optional'], ['without_origin', 'Required without an origin (servers)'], ['always', 'Always required']
] as const
const REPEATS = [['keep', 'Store them again'], ['drop', 'Drop them as duplicates']] as const
const PIXEL_TYPES = [['track', 'Track'], ['page', 'Page'], ['identify', 'Identify'], ['group', 'Group']] as const

/** Which events a source accepts and what it does with them. */
export function Acceptance (props: TabProps) {
  const { source } = props
  const save = usePatch(props)
  const form = useForm(async (values) => {
    await save({
      bots: values['bots'] as Source['bots'],
      keep_refused: values['keep_refused'] === 'on',
      signed_repeats: values['signed_repeats'] as Source['signed_repeats'],
      pixel_types: typesOf(source, values),
      ...may('admin')
        ? {
            require_signature: values['require_signature'] as Source['require_signature'],
            require_timestamp: values['require_timestamp'] === 'on'
          }
        : {}
    } satisfies SourcePatch)
  })
  if (!may('editor')) return <AcceptanceFacts {...props} />
  return (
    <Section title='Acceptance' lead='Which events the source accepts, and what happens to them.'>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <CheckField
          name='keep_refused' label='Keep refused events' form={form} defaultChecked={source.keep_refused}
          hint='They can then be read with the reason, and replayed after the cause is removed. They contain what was sent.'
        />
        <div class='fields'>
          <SelectField name='bots' label='Events of bots' form={form} choices={BOTS} defaultValue={source.bots} />
          <SelectField
            name='signed_repeats' label='Repeated signed events without an id' form={form} choices={REPEATS}
            defaultValue={source.signed_repeats}
          />
          {may('admin')
            ? (
              <SelectField
                name='require_signature' label='Signature' form={form} choices={SIGNATURES} defaultValue={source.require_signature}
              />
              )
            : null}
        </div>
        {may('admin')
          ? (
            <CheckField
              name='require_timestamp' label='Require a timestamp in signatures' form={form}
              defaultChecked={source.require_timestamp}
              hint='Stops others from sending a signed request again. X-Datafly-Signature has no timestamp and is then refused.'
            />
            )
          : null}
        <fieldset class='checks-in-line'>
          <legend>Types that the pixel accepts</legend>
          {PIXEL_TYPES.map(([type, label]) => (
            <CheckField
              key={type} name={`pixel_${type}`} label={label} form={form} defaultChecked={source.pixel_types.includes(type)}
            />
          ))}
        </fieldset>
        <div class='actions'><Button kind='primary' type='submit' busy={form.busy}>Save</Button></div>
      </form>
    </Section>
  )
}

/** Returns the chosen types in the stored order, so that an unchanged choice is no change. */
function typesOf ({ pixel_types: stored }: Source, values: Readonly<Record<string, string>>): Source['pixel_types'] {
  const chosen = PIXEL_TYPES.map(([type]) => type).filter((type) => values[`pixel_${type}`] === 'on')
  return [...stored.filter((type) => chosen.includes(type)), ...chosen.filter((type) => !stored.includes(type))]
}

function AcceptanceFacts ({ source }: TabProps) {
  const labelOf = (choices: ReadonlyArray<readonly [string, string]>, value: string) =>
    choices.find(([name]) => name === value)?.[1] ?? value
  return (
    <Section title='Acceptance'>
      <Facts
        items={[
          ['Refused events', source.keep_refused ? 'Kept' : 'Not kept'],
          ['Events of bots', labelOf(BOTS, source.bots)],
          ['Signature', labelOf(SIGNATURES, source.require_signature)],
          ['Pixel types', source.pixel_types.join(', ') || 'None']
        ]}
      />
    </Section>
  )
}
