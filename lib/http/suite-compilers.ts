import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { ValidateFunction } from 'ajv'
import type { FastifyContextConfig, FastifyInstance, FastifySchema, FastifySchemaValidationError } from 'fastify'
import type { FastifyValidationResult } from 'fastify/types/schema.js'

const OPTIONS = { useDefaults: true, allErrors: false, strict: 'log', allowUnionTypes: true } as const

// Created on first use. They cache compiled schemas, which all apps of a process share.
let validators: { body: Ajv, query: Ajv } | undefined

/**
 * Validates and serialises with the suite's own compilers, because a host's compilers (of Zod, for example) cannot read
 * its schemas. Bodies are validated without coercion or removal of unknown properties, unlike with Fastify's default
 * Ajv. Query strings and parameters are still coerced, because they are strings.
 */
export function useSuiteCompilers (scope: FastifyInstance): void {
  scope.setValidatorCompiler<FastifySchema>(({ schema, httpPart }) =>
    validatorOnUse(() => ajvOf(httpPart === 'body' ? 'body' : 'query').compile(schema))
  )
  const compile = SerializerSelector()({}, {})
  scope.setSerializerCompiler<FastifySchema>(({ schema, method, url, httpStatus }) =>
    serializerOnUse(() => compile({ schema, method, url, httpStatus: httpStatus ?? '' }))
  )
  // A host's `transform` for @fastify/swagger, such as the one of Zod, throws on the suite's schemas.
  scope.addHook('onRoute', function disableSwaggerTransform (route) {
    route.config = { ...route.config, swaggerTransform: false } as FastifyContextConfig
  })
}

type Serializer = ReturnType<ReturnType<ReturnType<typeof SerializerSelector>>>

/** Compiles on the first call: most processes never use most of the schemas, which take a quarter of a start. */
function validatorOnUse (compile: () => ValidateFunction): FastifyValidationResult {
  let validate: ValidateFunction | undefined
  const validator: FastifyValidationResult = (data: unknown) => {
    validate ??= compile()
    const isValid = validate(data)
    validator.errors = (validate.errors ?? null) as FastifySchemaValidationError[] | null
    return isValid
  }
  return validator
}

function serializerOnUse (compile: () => Serializer): Serializer {
  let serialize: Serializer | undefined
  return (data) => {
    serialize ??= compile()
    return serialize(data)
  }
}

function ajvOf (part: 'body' | 'query'): Ajv {
  validators ??= {
    body: withFormats(new Ajv(OPTIONS)),
    query: withFormats(new Ajv({ ...OPTIONS, coerceTypes: 'array' }))
  }
  return validators[part]
}

function withFormats (ajv: Ajv): Ajv {
  ;(addFormats as unknown as (ajv: Ajv) => void)(ajv)
  return ajv
}
