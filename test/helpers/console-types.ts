import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import openapiTypescript, { astToString } from 'openapi-typescript'

import { securitySchemes } from '../../schemas/security-schemes.js'
import { registerAdmin } from './admin-routes.js'

type Document = Exclude<Parameters<typeof openapiTypescript>[0], string | URL | Buffer>

const HEAD = '// The types of the admin API, written from its OpenAPI document by `npm run docs`; do not edit.\n\n'
/** Members that say that something does not exist, and headers of any name: the client does not use them. */
const NOISE: readonly RegExp[] = [
  / +\w+\?: never;\n/g,
  / +headers: \{\n +\[name: string\]: unknown;\n +\};\n/g,
  / +parameters: \{\n +\};\n/g,
  / +content\?: never;\n/g,
  /export type webhooks = [^\n]+\n|export type \$defs = [^\n]+\n|export interface components \{[\s\S]*?\n\}\n/g
]

/** The file web/console/src/api.d.ts: the types of the admin API, from the document of its routes. */
export async function consoleTypes (): Promise<string> {
  const app = Fastify()
  const info = { title: 'admin API', version: '1' }
  await app.register(swagger, { openapi: { openapi: '3.1.0', info, components: { securitySchemes } } })
  await registerAdmin(app)
  await app.ready()
  type Parsed = Document & { paths: Record<string, unknown> }
  const document = JSON.parse(JSON.stringify(app.swagger()), forClients) as Parsed
  await app.close()
  for (const path of Object.keys(document.paths)) if (path.startsWith('/scim/')) delete document.paths[path]
  const code = astToString(await openapiTypescript(document, { alphabetize: true, defaultNonNullable: false }))
  return HEAD + styled(NOISE.reduce((text, pattern) => text.replace(pattern, ''), code))
}

/** Writes generated code in the style of the project. */
function styled (code: string): string {
  return code.replace(/^(?: {4})+/gm, (indent) => indent.slice(indent.length / 2)).replace(/;$/gm, '').replaceAll('"', "'")
    .replace(/\{\n +\}/g, 'unknown')
    .replace(/\n{2,}/g, '\n\n')
}

/**
 * Leaves out what every route has alike, the errors, and the descriptions. A member or parameter with a default is
 * optional for clients.
 */
function forClients (key: string, value: unknown): unknown {
  if (/^[45]\d\d$/.test(key) || key === 'security' || key === 'tags') return undefined
  if (key === 'description' && typeof value === 'string') return value === '' ? value : undefined
  if (!isObject(value)) return value
  if (typeof value.in === 'string' && isObject(value.schema) && 'default' in value.schema) {
    return { ...value, required: false }
  }
  const { properties, required } = value
  if (!isObject(properties) || !Array.isArray(required)) return value
  const isDemanded = (name: unknown) => {
    const member = properties[String(name)]
    return !(isObject(member) && 'default' in member)
  }
  return { ...value, required: required.filter(isDemanded) }
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
