import type { VariableName } from './environment.js'

/** An invalid configuration. The message lists every problem, one per line. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly problems: readonly string[]

  constructor (problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${
        problems.map((problem) => `  - ${problem}`).join('\n')
      }`
    )
    this.problems = problems
  }
}

/** Collects configuration problems, to report all of them at once. */
export class Problems {
  readonly #list = new Set<string>()

  /** Adds a problem: `fault` follows the variable name in the message and must not contain the value. */
  add (name: VariableName, problem: string): void {
    this.#list.add(`${name} ${problem}`)
  }

  throwIfAny (): void {
    if (this.#list.size > 0) throw new ConfigError([...this.#list])
  }
}
