import { errorReplies } from './error.js'

export const databrainProxySchema = {
  summary: 'Call DataBrain for a signed-in user',
  description: 'Called by the DataBrain component of a page with a proxy key in `X-Proxy-Auth-Key`. The call goes on to DataBrain under a guest token of ' +
    'the user, with its method, path, query and body; the answer comes back as it is. A refusal of this server has the error envelope.',
  tags: ['embedding'],
  security: [{ proxyAuthKey: [] }],
  response: errorReplies(400, 401, 403, 413, 415, 429, 500, 502, 503, 504)
}
