import { OVERRIDES, REPLIES, REQUESTS } from './bodies.js'
import { callerOf } from './callers.js'
import { exampleOf } from './example.js'
import type { OpenApiDocument, Operation } from './document.js'
import { refusalOf } from './refusals.js'
import { IN_PATH, OTHER_ID } from './values.js'

/**
 * Adds to each operation of an OpenAPI document an example of its request and of each response, and how its caller is
 * authenticated. Changes the document.
 */
export function completeDocument <Document extends OpenApiDocument> (document: Document): Document {
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    for (const operation of Object.values(operations)) complete(operation, path)
  }
  return document
}

function complete (operation: Operation, path: string): void {
  const { operationId = '', tags: [tag = ''] = [], parameters = [], requestBody, responses = {} } = operation
  const overrides = OVERRIDES[operationId] ?? {}
  if (operation.security === undefined || operation.security.length === 0) {
    operation.security = []
    operation.description = sentences(operation.description, `Authentication: ${callerOf(operationId)}.`)
  }
  for (const parameter of parameters) {
    // An optional parameter with an example would be sent by "Try it out".
    if (parameter.required !== true || parameter.schema === undefined) continue
    parameter.example ??= parameter.name === 'id'
      ? idIn(path)
      : exampleOf(parameter.schema, { tag, leaveOutOptional: false, overrides: {} }, parameter.name)
  }
  for (const media of Object.values(requestBody?.content ?? {})) {
    media.example ??= REQUESTS[operationId] ??
      exampleOf(media.schema ?? {}, { tag, leaveOutOptional: true, overrides })
  }
  for (const [status, { content = {} }] of Object.entries(responses)) {
    for (const media of Object.values(content)) {
      media.example ??= Number(status) < 400
        ? REPLIES[operationId] ?? exampleOf(media.schema ?? {}, { tag, leaveOutOptional: false, overrides })
        : refusalOf(status, media.schema)
    }
  }
}

/** The id of the thing that the segment before `{id}` names. */
function idIn (path: string): string {
  const segments = path.split('/')
  return IN_PATH[segments[segments.indexOf('{id}') - 1] ?? ''] ?? OTHER_ID
}

function sentences (first: string | undefined, second: string): string {
  return first === undefined || first === '' ? second : `${first}\n\n${second}`
}
