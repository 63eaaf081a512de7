import type { OpenApiDocument, Operation, Response } from './document.js'
import { nameOfRefusal } from './refusals.js'

interface Place { operation: Operation, status: string }

/**
 * Moves each refusal that several operations describe alike into `components.responses` and refers to it: the
 * document shrinks to a fifth, and Swagger UI opens it without blocking the page for seconds. Changes the document.
 */
export function shareRefusals <Document extends OpenApiDocument> (document: Document): Document {
  const refusals = refusalsOf(document)
  const shared: Record<string, Response> = {}
  for (const [text, places] of refusals) {
    const [first] = places
    if (first === undefined || places.length === 1) continue
    const response = JSON.parse(text) as Response
    const name = nameOfRefusal(first.status, response)
    if (name in shared) continue
    shared[name] = response
    for (const { operation, status } of places) {
      operation.responses = { ...operation.responses, [status]: { $ref: `#/components/responses/${name}` } }
    }
  }
  document.components = { ...document.components, responses: shared }
  return document
}

/** The places of each refusal, by its JSON, most frequent first. */
function refusalsOf ({ paths = {} }: OpenApiDocument): Array<[string, Place[]]> {
  const refusals = new Map<string, Place[]>()
  for (const operation of Object.values(paths).flatMap((operations) => Object.values(operations))) {
    for (const [status, response] of Object.entries(operation.responses ?? {})) {
      if (Number(status) < 400) continue
      const text = JSON.stringify(response)
      refusals.set(text, [...refusals.get(text) ?? [], { operation, status }])
    }
  }
  return [...refusals].sort(([, a], [, b]) => b.length - a.length)
}
