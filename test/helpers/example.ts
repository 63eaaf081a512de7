import { once } from 'node:events'
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import ts from 'typescript'

import { builtPackage } from './built-server.js'
import { spawnLoneNode } from './lone-node.js'

export type Environment = Record<string, string>

interface ExampleModule {
  build (options?: FastifyServerOptions, env?: Environment): Promise<FastifyInstance>
}

export interface StartedExample {
  /** Such as `http://127.0.0.1:40123`. */
  origin: string
  /** Sends SIGTERM and resolves with the exit code. */
  stop (): Promise<number | null>
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

let folder: Promise<string> | undefined

/** Whether the examples run on the packed tarball, with the dependencies that they name. */
export const isPacked = process.env.EXAMPLES_FOLDER !== undefined

/**
 * The path of a file of an example. Examples import the package by its name: from the folder EXAMPLES_FOLDER, where the
 * packed tarball is installed; otherwise from a copy beside a build of the current sources.
 */
export async function exampleFile (name: string, ...path: string[]): Promise<string> {
  folder ??= process.env.EXAMPLES_FOLDER === undefined ? copyExamples() : Promise.resolve(process.env.EXAMPLES_FOLDER)
  return join(await folder, name, ...path)
}

/** The app of an example, made by its `build`; closed when the test ends. */
export async function exampleApp (test: Test, name: string, env: Environment): Promise<FastifyInstance> {
  const { build } = await import(pathToFileURL(await mainOf(name)).href) as ExampleModule
  const app = await build({}, env)
  test.teardown(() => app.close())
  return app
}

/** Runs the main file of an example as `npm start` does, with this environment alone, and waits until it listens. */
export async function startExample (test: Test, name: string, env: Environment): Promise<StartedExample> {
  return await startProgram(test, [await mainOf(name)], env)
}

/**
 * Starts an example that must fail to start with exit code 1, and returns the message of its error. Node.js prints an
 * error that has no stack in brackets.
 */
export async function startError (test: Test, name: string, env: Environment): Promise<string> {
  const output = await startExample(test, name, env).then(() => 'It listens', (error: Error) => error.message)
  return /^It exited with code 1:\n(?:[^]*?^\[?\w*Error(?: \[\w+\])?: )?(.*)$/m.exec(output)?.[1] ?? output
}

/** Runs Node.js with a program that logs where it listens. Rejects with its output if it ends before. */
export async function startProgram (test: Test, args: string[], env: Environment): Promise<StartedExample> {
  const child = spawnLoneNode(args, { PATH: process.env.PATH ?? '', PORT: '0', ...env })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  test.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let output = ''
  const listening = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const origin = /Server listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1]
        if (origin !== undefined) resolve(origin)
      })
    }
  })
  const ended = exited.then((code) => { throw new Error(`It exited with code ${code}:\n${output}`) })
  const origin = await Promise.race([listening, ended])
  return {
    origin,
    async stop () {
      child.kill('SIGTERM')
      return await exited
    }
  }
}

async function mainOf (name: string): Promise<string> {
  const { main } = JSON.parse(await readFile(await exampleFile(name, 'package.json'), 'utf8')) as { main: string }
  return await exampleFile(name, main)
}

/** Whether a path belongs to an example, and is not installed or built. */
export function isOfExample (path: string): boolean {
  return !/[\\/](?:node_modules|dist|\.env|\.data)$/.test(path)
}

/** Copies the examples to a folder of this process, where `fastify-gatehouse` is a build of the sources. */
async function copyExamples (): Promise<string> {
  const copy = join(ROOT, '.tap', 'examples', String(process.pid))
  t.teardown(() => rm(copy, { recursive: true, force: true }))
  await rm(copy, { recursive: true, force: true })
  await cp(join(ROOT, 'examples'), copy, { recursive: true, filter: isOfExample })
  await mkdir(join(copy, 'node_modules'))
  await symlink(await builtPackage(), join(copy, 'node_modules', 'fastify-gatehouse'))
  await compile(join(copy, 'typebox-types'))
  return copy
}

/** What `tsc` of the example in TypeScript writes. */
async function compile (project: string): Promise<void> {
  const source = await readFile(join(project, 'app.ts'), 'utf8')
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  })
  await mkdir(join(project, 'dist'))
  await writeFile(join(project, 'dist', 'app.js'), outputText)
}
