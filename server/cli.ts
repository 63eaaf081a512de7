#!/usr/bin/env node
import { parseArgs } from 'node:util'

import { COMMANDS, HELP } from './commands/index.js'
import { missingPackages, wayToInstall } from './optional-packages.js'
import { VERSION } from './version.js'

/** An incorrect command line; printed without a stack, exit code 2. */
class UsageError extends Error {}

async function main (args: readonly string[]): Promise<void> {
  const [name = '', ...rest] = args
  if (name === '--version' || name === '-v') return console.log(VERSION)
  if (['', '--help', '-h', 'help'].includes(name)) return console.log(HELP)
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) {
    throw new UsageError(`Unknown command ${JSON.stringify(name)}. Run fastify-gatehouse --help.`)
  }

  const { values, positionals } = parse(command.options, rest)
  if (values.help === true) return console.log(HELP)
  const action = actionOf(name, command.actions, positionals)
  const missing = missingPackages(command.needs(process.env))
  if (missing.length > 0) throw new UsageError(wayToInstall(missing, name))
  await command.run(values, action)
}

function actionOf (name: string, actions: readonly string[] = [], words: readonly string[]): string | undefined {
  const [action] = words
  const extra = words[actions.length === 0 ? 0 : 1]
  if (extra !== undefined) {
    throw new UsageError(`${name} has no argument ${JSON.stringify(extra)}. Run fastify-gatehouse --help.`)
  }
  if (actions.length === 0 || (action !== undefined && actions.includes(action))) return action
  throw new UsageError(`${name} requires one of ${actions.join(', ')}. Run fastify-gatehouse --help.`)
}

type Options = NonNullable<Parameters<typeof parseArgs>[0]>['options']

function parse (options: Options, args: string[]) {
  try {
    return parseArgs({ args, options: { ...options, help: { type: 'boolean', short: 'h' } }, allowPositionals: true })
  } catch (error) {
    // Node.js adds a hint about positional arguments, which no command has.
    const [message = ''] = (error as Error).message.split('. To specify a positional')
    throw new UsageError(`${message}. Run fastify-gatehouse --help.`)
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  // The message explains the problem; LOG_LEVEL=trace also prints the stack.
  console.error(
    error instanceof Error && process.env.LOG_LEVEL !== 'trace' ? `fastify-gatehouse: ${error.message}` : error
  )
  process.exit(error instanceof UsageError ? 2 : 1)
})
