/** The numbers of events of one replayed request, by result. */
export interface ReplayedEvents {
  /** Number of events that are stored now. */
  stored: number
  /** Number of events that were stored before. */
  duplicate: number
  /** Number of events of bots, which the source drops. */
  dropped: number
  /** Number of events that are refused again. If others are stored, these are kept as separate refused events. */
  refused: number
}

/**
 * `replayed`: its valid events are stored. `still_refused`: none is valid by the present settings, or the quota of the
 * source has too little room. `already_replayed`: an earlier replay stored them. `in_progress`: another replay is
 * running. `not_found`: the organisation has no such refused event.
 */
export type ReplayOutcome = 'replayed' | 'still_refused' | 'already_replayed' | 'in_progress' | 'not_found'

/** The result of the replay of one refused event. */
export interface ReplayResult {
  id: string
  outcome: ReplayOutcome
  events: ReplayedEvents
  /** Why it is still refused; `null` for the other outcomes. */
  code: string | null
  reason: string | null
}

/** Accepts refused events by the present settings of their sources. */
export interface EventReplay {
  /**
   * Replays refused events of an organisation; resolves with the results in the order of `ids`. Stores each event once,
   * also if replays run concurrently or a process ends during one. Rejects with `UNAVAILABLE` if the store or the sink
   * does; events that were not stored can be replayed again.
   */
  replay (orgId: string, ids: readonly string[]): Promise<ReplayResult[]>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Replays refused events. `ingestion` decorates the app with it. */
    eventReplay: EventReplay
  }
}
