import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance, FastifySchema } from 'fastify'

/**
 * Validates bodies as they are: no coercion, nothing stripped, where Fastify's own Ajv turns `123` into `"123"` and removes what it
 * does not know. Query strings and parameters, being text, are still coerced.
 */
export function useStrictValidation (scope: FastifyInstance): void {
  const strict = formats(new Ajv({ useDefaults: true, allErrors: false, strict: 'log', allowUnionTypes: true }))
  const text = formats(new Ajv({ useDefaults: true, allErrors: false, strict: 'log', allowUnionTypes: true, coerceTypes: 'array' }))
  scope.setValidatorCompiler<FastifySchema>(({ schema, httpPart }) => (httpPart === 'body' ? strict : text).compile(schema))
}

function formats (ajv: Ajv): Ajv {
  (addFormats as unknown as (ajv: Ajv) => void)(ajv)
  return ajv
}
