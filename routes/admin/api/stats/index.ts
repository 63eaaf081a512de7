import type { FastifyInstance } from 'fastify'

import { eventCounts } from '../../../../lib/counts/event-counts.js'
import { getStatsSchema } from '../../../../schemas/admin-stats.js'
import type { StatsQuery, StatsReply } from '../../../../schemas/admin-stats.js'
import { callerOf } from '../../admin-scope.js'
import { PERMISSIONS } from '../../permissions.js'
import { periodOf } from './period.js'
import { eventTotals, productTotals, seriesOf, sourceTotals } from './sums.js'

/** Registers the route that returns the counts of the organisation. */
export function statsRoute (scope: FastifyInstance, now: () => number): void {
  const { counts, sessions } = scope.tokenStore

  scope.get<{ Querystring: StatsQuery }>('/stats', {
    schema: getStatsSchema,
    ...PERMISSIONS.readStats
  }, async function getStats (request): Promise<StatsReply> {
    const { org_id: orgId } = callerOf(request)
    const { source_id: id } = request.query
    const period = periodOf(request.query, now())
    const { from, to, interval, step, points } = period
    await scope.outcomeCounts.flush()
    const range = { from, to }
    // The sink may be registered after the admin API.
    const events = eventCounts(counts, scope.hasDecorator('eventSink') ? scope.eventSink : undefined)
    const [series, totals, latest, embedSeries, embedTotals, logins, active] = await Promise.all([
      events.series(orgId, { ...range, id }, interval),
      events.totals(orgId, { ...range, id }),
      events.latest(orgId, id),
      counts.series(orgId, { ...range, kind: 'embed' }, interval),
      counts.totals(orgId, { ...range, kind: 'embed' }),
      counts.totals(orgId, { ...range, kind: 'admin' }),
      sessions.count(orgId)
    ])
    return {
      from: iso(from),
      to: iso(to),
      interval,
      times: Array.from({ length: points }, (_, point) => iso(from + point * step)),
      events: {
        // From the series: the totals by source are limited in number.
        totals: eventTotals(series),
        series: seriesOf(period, series, ['accepted', 'deduplicated', 'bot', 'refused'])
      },
      sources: sourceTotals(totals, latest),
      embeds: {
        products: productTotals(embedTotals),
        series: seriesOf(period, embedSeries, ['minted', 'cached', 'refused'])
      },
      logins: {
        totals: Object.fromEntries(logins.map(({ outcome, events }) => [outcome, events])),
        active_sessions: active
      }
    }
  })
}

function iso (milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
