// The parts of an OpenAPI document that this folder reads and completes.
import type { Schema } from './example.js'

export interface Media { schema?: Schema, example?: unknown }
interface Parameter { name: string, in: string, required?: boolean, schema?: Schema, example?: unknown }
export interface Response { description?: string, content?: Record<string, Media>, $ref?: string }
export interface Operation {
  operationId?: string
  description?: string
  tags?: string[]
  security?: object[]
  parameters?: Parameter[]
  requestBody?: { content?: Record<string, Media> }
  responses?: Record<string, Response>
}
export interface OpenApiDocument {
  paths?: Record<string, Record<string, Operation>>
  components?: { responses?: Record<string, Response> }
}
