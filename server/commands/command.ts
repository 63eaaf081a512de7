import type { ParseArgsConfig } from 'node:util'

/** The parsed options of the command line by name, as `parseArgs` of `node:util` returns them. */
export type Values = Readonly<Record<string, string | boolean | Array<string | boolean> | undefined>>

export interface Command {
  /** The syntax line of `--help`. */
  usage: string
  about: string
  options: NonNullable<ParseArgsConfig['options']>
  /** The words that may follow the command; one is required. Default: none, and no word may follow. */
  actions?: readonly string[]
  /** Optional packages that the command imports. */
  needs (environment: NodeJS.ProcessEnv): string[]
  run (values: Values, action?: string): Promise<void>
}
