import { errorReplies } from './error.js'

export const collectorSchema = {
  summary: 'The collector, a script for pages',
  description: 'Its settings are attributes of the script tag, or parameters of this URL such as `key`. Kept for an hour, and for a day more while a newer one is fetched. Compressed with Brotli or gzip for those who accept it.',
  tags: ['ingestion'],
  response: {
    200: { description: 'The script', content: { 'text/javascript': { schema: { type: 'string' } } } },
    304: { description: 'It is the one that `If-None-Match` names', type: 'null' },
    ...errorReplies(429, 500)
  }
}
