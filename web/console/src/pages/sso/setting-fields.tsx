import type { Form } from '../../api/use-form.ts'
import { CheckField, SelectField, TextArea, TextField } from '../../ui/field.tsx'
import { MORE_SETTINGS, textOf } from './settings.ts'
import type { Setting } from './settings.ts'
import type { Kind } from './types.ts'

interface SettingFieldsProps {
  form: Form
  /** The stored settings, or what a product needs. */
  stored?: Readonly<Record<string, unknown>>
}

/** The settings that most providers leave alone, without those that stand elsewhere. */
export function MoreSettings (
  { form, kind, stored = {}, without = [] }: SettingFieldsProps & { kind: Kind, without?: readonly string[] }
) {
  const settings = MORE_SETTINGS[kind].filter(({ name }) => !without.includes(name))
  return (
    <details class='more'>
      <summary>More settings</summary>
      <div class='stack'>
        {settings.map((setting) => <SettingField key={setting.name} {...{ form, setting, stored }} />)}
      </div>
    </details>
  )
}

export function SettingField ({ form, setting, stored = {} }: SettingFieldsProps & { setting: Setting }) {
  const { name, label, kind = 'text', choices = [], on = false } = setting
  const hint = setting.hint === undefined ? {} : { hint: setting.hint }
  const common = { name: `settings/${name}`, label, form, ...hint }
  const value = stored[name]
  if (kind === 'flag') return <CheckField {...common} defaultChecked={value === undefined ? on : value === true} />
  if (kind === 'choice') return <SelectField {...common} choices={choices} defaultValue={textOf(value)} />
  if (kind === 'certificates') return <TextArea {...common} class='code' spellcheck={false} defaultValue={textOf(value)} />
  return (
    <TextField
      {...common} defaultValue={textOf(value)} {...kind === 'number' ? { type: 'number', min: 0, max: 180 } : {}}
    />
  )
}
