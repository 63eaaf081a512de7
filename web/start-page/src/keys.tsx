import { Icon } from '../../console/src/ui/icon.tsx'
import type { PageData } from './page.ts'

/** What the two keys that the page contains may and may not do. */
export function Keys ({ page }: { page: PageData }) {
  return (
    <section class='card keys' aria-labelledby='keys-title'>
      <h2 id='keys-title'>Two keys are in this page</h2>
      <dl>
        {page.databrain?.proxy != null && (
          <div>
            <dt><Icon name='key' /> DataBrain proxy key</dt>
            <dd>
              May ask for a guest token of the user whom your server has signed into the page. May not choose the user,
              and may not call DataBrain’s API.
            </dd>
          </div>
        )}
        <div>
          <dt><Icon name='key' /> Pipeline key</dt>
          <dd>
            May add events to its source from the allowed domains. May not read events, sign as a server, or change
            anything.
          </dd>
        </div>
      </dl>
    </section>
  )
}
