import type { VariableName } from './environment.js'

/** The configuration is wrong; the message lists every problem, one a line. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly problems: readonly string[]

  constructor (problems: readonly string[]) {
    super(`The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/** Gathers what is wrong, so that all of it is reported at once. */
export class Problems {
  readonly #list = new Set<string>()

  /** `fault` goes on after the name and must not hold the value. */
  add (name: VariableName, fault: string): void {
    this.#list.add(`${name} ${fault}`)
  }

  throwIfAny (): void {
    if (this.#list.size > 0) throw new ConfigError([...this.#list])
  }
}
