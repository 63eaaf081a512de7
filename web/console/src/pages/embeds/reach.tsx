import type { Kind } from './meanings.ts'
import { KINDS } from './meanings.ts'

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

export function inFull (time: string | Date): string {
  return moment.format(new Date(time))
}

/** What a revocation does, before it is done: at once, until when, and what it cannot reach. */
export function Reach ({ kind, before }: { kind: Kind, before: Date | null }) {
  return (
    <>
      <p>
        {KINDS[kind].effect}: each such request is refused with 403, on this server at once and on the others within a
        second. Calls through the DataBrain proxy stop too.
      </p>
      <p>
        {before === null
          ? 'This ends what was issued until now. A new sign-in to your site is accepted again. To keep someone out, choose a time in the future.'
          : `This lasts until ${inFull(before)}. A sign-in to your site before that time does not help. Afterwards a new sign-in is accepted again.`}
      </p>
      <div class='reach'>
        <p>What a product has already been given cannot be called back:</p>
        <dl>
          <dt>DataBrain</dt>
          <dd>
            A guest token is valid to its end, an hour unless the server sets another time. Behind the proxy it stops at
            once.
          </dd>
          <dt>Bold BI</dt>
          <dd>
            An open dashboard stays open until its session at Bold BI ends, at most a day unless the server sets another
            time.
          </dd>
          <dt>dxFeed</dt>
          <dd>A widget token is valid for at most 20 minutes.</dd>
        </dl>
      </div>
    </>
  )
}
