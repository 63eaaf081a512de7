import { call } from '../../api/client.ts'
import type { Body } from '../../api/paths.ts'
import { toast } from '../../ui/toast.tsx'
import type { TabProps } from './source.tsx'
import type { Source } from './state.tsx'

export type SourcePatch = NonNullable<Body<'patch', 'sources/{id}'>>

/** Returns a function that saves settings of a source. Sends only what has changed: an editor may not send all. */
export function usePatch ({ source, reload }: TabProps): (settings: SourcePatch) => Promise<void> {
  return async (settings) => {
    const changed = Object.entries(settings).filter(([name, value]) =>
      JSON.stringify(value) !== JSON.stringify(source[name as keyof Source]))
    if (changed.length > 0) {
      await call('patch', 'sources/{id}', { path: { id: source.id }, body: Object.fromEntries(changed) })
      reload()
    }
    toast(changed.length > 0 ? 'The settings are saved.' : 'Nothing has changed.')
  }
}
