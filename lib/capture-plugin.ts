import type { FastifyInstance } from 'fastify'

export interface CaptureOptions {
  /** The package of the plugin, for the error message. */
  name: string
  /** The decorators that the plugin must offer. */
  decorators: readonly string[]
  /** Receives the hooks that the plugin adds. Default: they are dropped. */
  addHook?: (name: string, hook: unknown) => void
}

type Decorators = Record<string, unknown>
type Callback = (scope: FastifyInstance, options: object, next: (error?: Error) => void) => void
type Async = (scope: FastifyInstance, options: object) => Promise<void>

/**
 * Runs a plugin without registering it, and returns its decorators by name. The scope gets neither its decorators nor
 * its routes, and its hooks
 * only through `addHook`: the host may register the same plugin itself, before or after, and plugins such as
 * `@fastify/cors`
 * and `@fastify/jwt` fail when they are registered twice. Throws an Error if the plugin does not offer one of the
 * decorators.
 *
 * @example
 * const { from } = await capturePlugin(scope, replyFrom, { base }, { name: '@fastify/reply-from', decorators:
 * ['from'] })
 */
export async function capturePlugin (
  scope: FastifyInstance,
  plugin: unknown,
  options: object,
  { name, decorators, addHook = () => {} }: CaptureOptions
): Promise<Readonly<Decorators>> {
  const captured: Decorators = {}
  const has = { value: (decorator: string) => Object.hasOwn(captured, decorator) }
  const decorate = {
    value (decorator: string, value: unknown) {
      captured[decorator] = value
      return facade
    }
  }
  const ignore = { value: () => facade }
  const facade: FastifyInstance = Object.create(scope, {
    hasDecorator: has,
    hasRequestDecorator: has,
    hasReplyDecorator: has,
    decorate,
    decorateRequest: decorate,
    decorateReply: decorate,
    addHook: {
      value (hookName: string, hook: unknown) {
        addHook(hookName, hook)
        return facade
      }
    },
    onClose: ignore,
    options: ignore
  })
  if ((plugin as Callback | Async).length < 3) await (plugin as Async)(facade, options)
  else {
    await new Promise<void>((resolve, reject) => {
      ;(plugin as Callback)(facade, options, (error) => {
        if (error) reject(error)
        else resolve()
      })
    })
  }
  const missing = decorators.filter((decorator) => captured[decorator] === undefined)
  if (missing.length > 0) throw new Error(`${name} does not offer ${missing.join(', ')}; this version is not supported`)
  return captured
}
