import { errorReplies } from './error.js'

export const metricsSchema = {
  operationId: 'readMetrics',
  summary: 'Read the metrics of this instance',
  description: 'In the text format of Prometheus, or in OpenMetrics if the `Accept` header prefers it.',
  tags: ['health'],
  response: {
    200: {
      description: 'The metrics',
      content: {
        'text/plain': { schema: { type: 'string' } },
        'application/openmetrics-text': { schema: { type: 'string' } }
      }
    },
    ...errorReplies(401, 403, 500)
  }
}
