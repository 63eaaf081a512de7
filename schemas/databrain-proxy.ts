import { errorReplies } from './error.js'
import { operationIdOf } from './operation-id.js'

export const databrainProxySchema = {
  summary: 'Call DataBrain for a signed-in user',
  description: 'The DataBrain component of a page calls this route with a proxy key in `X-Proxy-Auth-Key`. The ' +
    'route forwards method, path, query and body to DataBrain with a guest token of the user, and returns ' +
    'DataBrain\'s response unchanged. Errors of this server have the error envelope.',
  tags: ['embedding'],
  security: [{ proxyAuthKey: [] }],
  response: errorReplies(400, 401, 403, 413, 415, 429, 500, 502, 503, 504)
}

/** Returns the schema of the route for one method, in lower or upper case. */
export function databrainProxySchemaOf (method: string) {
  return { ...databrainProxySchema, operationId: operationIdOf('databrainProxy', method.toLowerCase()) }
}
