import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyContextConfig, FastifyInstance, FastifySchema } from 'fastify'

const OPTIONS = { useDefaults: true, allErrors: false, strict: 'log', allowUnionTypes: true } as const

// Made when the first scope needs them; they keep what they compiled by schema, which all apps of a process share.
let validators: { body: Ajv, text: Ajv } | undefined

/**
 * Reads and writes by compilers of our own, whatever a host has set for its routes (those of Zod, say, can't read our schemas).
 * Bodies are validated as they are: no coercion, nothing stripped, where Fastify's own Ajv turns `123` into `"123"` and removes what
 * it does not know. Query strings and parameters, being text, are still coerced.
 */
export function useOwnCompilers (scope: FastifyInstance): void {
  const { body, text } = validators ??= {
    body: withFormats(new Ajv(OPTIONS)),
    text: withFormats(new Ajv({ ...OPTIONS, coerceTypes: 'array' }))
  }
  scope.setValidatorCompiler<FastifySchema>(({ schema, httpPart }) => (httpPart === 'body' ? body : text).compile(schema))
  const serialize = SerializerSelector()({}, {})
  scope.setSerializerCompiler<FastifySchema>(({ schema, method, url, httpStatus }) => serialize({ schema, method, url, httpStatus: httpStatus ?? '' }))
  // A `transform` that a host gives @fastify/swagger, such as that of Zod, throws on our schemas.
  scope.addHook('onRoute', function keepSchema (route) {
    route.config = { ...route.config, swaggerTransform: false } as FastifyContextConfig
  })
}

function withFormats (ajv: Ajv): Ajv {
  (addFormats as unknown as (ajv: Ajv) => void)(ajv)
  return ajv
}
