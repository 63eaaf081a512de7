import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyContextConfig, FastifyInstance, FastifySchema } from 'fastify'

const OPTIONS = { useDefaults: true, allErrors: false, strict: 'log', allowUnionTypes: true } as const

// Created on first use. They cache compiled schemas, which all apps of a process share.
let validators: { body: Ajv, query: Ajv } | undefined

/**
 * Validates and serialises with the suite's own compilers, because a host's compilers (of Zod, for example) cannot read
 * its schemas. Bodies are validated without coercion or removal of unknown properties, unlike with Fastify's default
 * Ajv. Query strings and parameters are still coerced, because they are strings.
 */
export function useSuiteCompilers (scope: FastifyInstance): void {
  const { body, query } = validators ??= {
    body: withFormats(new Ajv(OPTIONS)),
    query: withFormats(new Ajv({ ...OPTIONS, coerceTypes: 'array' }))
  }
  scope.setValidatorCompiler<FastifySchema>(({ schema, httpPart }) =>
    (httpPart === 'body' ? body : query).compile(schema)
  )
  const serialize = SerializerSelector()({}, {})
  scope.setSerializerCompiler<FastifySchema>(({ schema, method, url, httpStatus }) =>
    serialize({ schema, method, url, httpStatus: httpStatus ?? '' })
  )
  // A host's `transform` for @fastify/swagger, such as the one of Zod, throws on the suite's schemas.
  scope.addHook('onRoute', function disableSwaggerTransform (route) {
    route.config = { ...route.config, swaggerTransform: false } as FastifyContextConfig
  })
}

function withFormats (ajv: Ajv): Ajv {
  ;(addFormats as unknown as (ajv: Ajv) => void)(ajv)
  return ajv
}
