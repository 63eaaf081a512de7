import { errorReplies } from './error.js'

export const collectorSchema = {
  operationId: 'readCollector',
  summary: 'Get the collector, a script for web pages',
  description: 'Configure the collector by attributes of the script tag or by parameters of this URL, such as ' +
    '`key`. Cached for an hour, and for one more day while a newer version is fetched. Compressed with Brotli or ' +
    'gzip on request.',
  tags: ['ingestion'],
  response: {
    200: { description: 'The script', content: { 'text/javascript': { schema: { type: 'string' } } } },
    304: { description: 'The script is unchanged', type: 'null' },
    ...errorReplies(429, 500)
  }
}
