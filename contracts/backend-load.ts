/** The connections of one pool at this moment. */
export interface PoolUsage {
  /** `requests`, `lists` or `maintenance`. */
  readonly pool: 'requests' | 'lists' | 'maintenance'
  readonly inUse: number
  readonly idle: number
  /** Number of callers that wait for a connection. */
  readonly waiting: number
}

/** Returns the usage of the pools of a database. Backends that share a database return the same function. */
export type ReadPools = () => readonly PoolUsage[]
