import type { ParseArgsConfig } from 'node:util'

/** The options of the command line by their names, as `parseArgs` of `node:util` returns them. */
export type Values = Readonly<Record<string, string | boolean | Array<string | boolean> | undefined>>

export interface Command {
  /** One line of `--help`. */
  usage: string
  about: string
  options: NonNullable<ParseArgsConfig['options']>
  /** The packages that it imports and that not everyone installs. */
  needs (environment: NodeJS.ProcessEnv): string[]
  run (values: Values): Promise<void>
}
