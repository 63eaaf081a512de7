import type { paths } from '../api.d.ts'

export type Method = 'get' | 'post' | 'patch' | 'put' | 'delete'

type Full<Path extends string> = `/v1/admin/${Path}`

/** The paths below `/v1/admin/` that have a method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, unknown> ? P extends Full<infer Path> ? Path : never : never
}[keyof paths]

type Operation<M extends Method, Path extends string> = Full<Path> extends infer P extends keyof paths
  ? M extends keyof paths[P] ? paths[P][M] : never
  : never

type JsonOf<Response> = Response extends { content: { 'application/json': infer Body } } ? Body : null
type Success = 200 | 201 | 202 | 204

/** The body of the successful response of a route; `null` for none. */
export type Reply<M extends Method, Path extends string> = Operation<M, Path> extends { responses: infer Responses }
  ? { [Status in keyof Responses]: Status extends Success ? JsonOf<Responses[Status]> : never }[keyof Responses]
  : never

/** The body of a request. */
export type Body<M extends Method, Path extends string> =
  Operation<M, Path> extends { requestBody?: { content: { 'application/json': infer Body } } } ? Body : undefined

type Parameters<Op, Kind extends 'path' | 'query'> =
  Op extends { parameters: infer All } ? Kind extends keyof All ? All[Kind] : undefined : undefined

type Member<Name extends string, Value> = [Value] extends [undefined]
  ? unknown
  : undefined extends Value ? { [N in Name]?: Exclude<Value, undefined> }
    : { [N in Name]: Value }

/** What a request of a route needs: `path` and `query` parameters and the `body`. */
export type RequestOf<M extends Method, Path extends string> =
  & Member<'path', Parameters<Operation<M, Path>, 'path'>>
  & Member<'query', Parameters<Operation<M, Path>, 'query'>>
  & Member<'body', Body<M, Path>>
  & { signal?: AbortSignal }
