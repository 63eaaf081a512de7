import type { ParseArgsConfig } from 'node:util'

/** The parsed options of the command line by name, as `parseArgs` of `node:util` returns them. */
export type Values = Readonly<Record<string, string | boolean | Array<string | boolean> | undefined>>

export interface Command {
  /** The syntax line of `--help`. */
  usage: string
  about: string
  options: NonNullable<ParseArgsConfig['options']>
  /** Optional packages that the command imports. */
  needs (environment: NodeJS.ProcessEnv): string[]
  run (values: Values): Promise<void>
}
