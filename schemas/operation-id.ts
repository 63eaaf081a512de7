/**
 * Returns the OpenAPI `operationId` of one of several routes with one schema: a verb and the end of the path.
 *
 * @example operationIdOf('receive', '/v1/track') // 'receiveTrack'
 */
export function operationIdOf (verb: string, path: string): string {
  const [, first = '', rest = ''] = /([a-z0-9])([a-z0-9]*)[^/]*$/i.exec(path) ?? []
  return verb + first.toUpperCase() + rest
}
