import Ajv from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import t from 'tap'

import { demoApp } from '../helpers/server-app.js'

interface Media { schema?: object, example?: unknown }
interface Operation {
  description?: string
  security?: object[]
  parameters?: Array<{ name: string, in: string, required?: boolean, schema: object, example?: unknown }>
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, Response>
}
interface Response { content?: Record<string, Media>, $ref?: string }
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { responses: Record<string, Response> }
}

const ajv = new Ajv.default({ strict: false, validateSchema: false, allErrors: true })
formats.default(ajv)

t.test('the document of the API, with every route of the built-in server', async (t) => {
  const { app } = await demoApp(t, {}, { listen: true, identityMocks: true })
  const { paths, components: { responses: shared } } = (await app.inject('/docs/json')).json() as Document
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ where: `${method} ${path}`, ...operation }))
  )
  t.ok(operations.length > 150, `${operations.length} operations`)

  t.test('each operation names its security schemes, or says how its caller is authenticated', async (t) => {
    const silent = operations.filter(({ security = [], description = '' }) =>
      security.length === 0 && !/Authentication: \S.+\.$/.test(description)
    )
    t.same(silent.map(({ where }) => where), [])
  })

  t.test('each body of a request has an example that matches its schema', async (t) => {
    const bodies = operations.flatMap(({ where, requestBody }) => mediaOf(where, requestBody?.content))
    t.ok(bodies.length > 60, `${bodies.length} bodies`)
    t.same(bodies.flatMap(faultsOf), [])
  })

  t.test('each body of a response has an example that matches its schema', async (t) => {
    const bodies = operations.flatMap(({ where, responses }) =>
      Object.entries(responses).flatMap(([status, { $ref, content = shared[nameIn($ref)]?.content }]) =>
        mediaOf(`${where} ${status}`, content)
      )
    )
    t.ok(bodies.length > 1_000, `${bodies.length} bodies`)
    t.same(bodies.flatMap(faultsOf), [])
  })

  t.test('a refusal that several operations have is written once', async (t) => {
    const refusals = operations.flatMap(({ responses }) =>
      Object.entries(responses).filter(([status]) => Number(status) >= 400).map(([, response]) => response)
    )
    const inline = refusals.filter(({ $ref }) => $ref === undefined).map((response) => JSON.stringify(response))
    t.equal(new Set(inline).size, inline.length)
    const names = new Set(refusals.flatMap(({ $ref }) => $ref === undefined ? [] : [nameIn($ref)]))
    t.same(names, new Set(Object.keys(shared)))
    t.ok(['RateLimited', 'ScimRateLimited', 'PixelRateLimited'].every((name) => name in shared), Object.keys(shared).join())
  })

  t.test('each required parameter has an example that matches its schema', async (t) => {
    const required = operations.flatMap(({ where, parameters = [] }) =>
      parameters.filter((parameter) => parameter.required === true)
        .map((parameter) => ({ where: `${where} ${parameter.name}`, ...parameter }))
    )
    t.ok(required.length > 50, `${required.length} parameters`)
    t.same(required.flatMap(faultsOf), [])
  })
})

function nameIn (reference = ''): string {
  return reference.replace('#/components/responses/', '')
}

function mediaOf (where: string, content: Record<string, Media> = {}): Array<Media & { where: string }> {
  return Object.entries(content).map(([type, media]) => ({ where: `${where} ${type}`, ...media }))
}

function faultsOf ({ where, schema = {}, example }: Media & { where: string }): string[] {
  if (example === undefined) return [`${where}: there is no example`]
  const validate = validatorOf(schema)
  if (validate(example)) return []
  return (validate.errors ?? []).map(({ instancePath, message }) => `${where}: ${instancePath} ${message}`)
}

/** The schemas of errors are equal in most operations. */
const known = new Map<string, ReturnType<typeof ajv.compile>>()

function validatorOf (schema: object) {
  const text = JSON.stringify(schema)
  const validate = known.get(text) ?? ajv.compile(schema)
  known.set(text, validate)
  return validate
}
