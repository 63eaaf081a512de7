/** The origins that one enabled source, or a key with its own domains, allows; for preflights, which carry no key. */
export interface SourceOrigins {
  readonly domains: readonly string[]
  readonly allowAnyOrigin: boolean
  readonly allowNullOrigin: boolean
}
