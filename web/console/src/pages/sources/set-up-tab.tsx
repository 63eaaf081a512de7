import { Copyable } from '../../ui/copy.tsx'
import { Facts, Section } from '../../ui/layout.tsx'
import { EVENTS_URL } from './events-url.ts'
import { NewSecret } from './secret-section.tsx'
import { SnippetPicker } from './snippet-picker.tsx'
import type { TabProps } from './source.tsx'
import { Domains } from './state.tsx'
import { Waiting } from './waiting.tsx'

/** How to send events to a source, and whether they arrive. */
export function SetUpTab ({ source, reload }: TabProps) {
  return (
    <>
      <NewSecret id={source.id} />
      <Section title='Connection'>
        <Waiting source={source} onChange={reload} />
        <Facts
          items={[
            ['Pipeline key', <Copyable value={source.pipeline_key} what='pipeline key' />],
            ['Address', <Copyable value={EVENTS_URL} what='address' />],
            ['Source id', <Copyable value={source.id} what='source id' />],
            ['Domains', <Domains source={source} />]
          ]}
        />
      </Section>
      <Section title='Send events' lead='The code has the pipeline key of the source. The key may be public.'>
        <SnippetPicker pipelineKey={source.pipeline_key} />
      </Section>
    </>
  )
}
