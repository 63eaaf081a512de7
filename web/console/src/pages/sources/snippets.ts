import { EVENTS_URL } from './events-url.ts'

/** A way to send events, as code that works once it is pasted. */
export interface Snippet {
  id: string
  title: string
  /** Where the code goes and what it needs. */
  note: string
  code: string
}

/** Returns the ways to send events, filled in with a pipeline key. */
export function snippetsOf (key: string): readonly Snippet[] {
  const { host, protocol } = new URL(EVENTS_URL)
  const path = EVENTS_URL.slice(EVENTS_URL.indexOf(host))
  return [
    {
      id: 'browser',
      title: 'Browser script',
      note: 'Put it into the head of each page. It reports page views, and _df.track() reports everything else.',
      code: `<script async src="${EVENTS_URL}/d.js"
  data-pipeline-key="${key}"></script>`
    },
    {
      id: 'node',
      title: 'Node.js',
      note: 'No package is needed. Send what comes from a server with a user or an anonymous id.',
      code: `await fetch('${EVENTS_URL}/v1/track', {
  method: 'POST',
  headers: {
    Authorization: 'Bearer ${key}',
    'Content-Type': 'application/json'
  },
  body: JSON.stringify({ userId: 'ann', event: 'Signed Up', properties: { plan: 'pro' } })
})`
    },
    {
      id: 'curl',
      title: 'curl',
      note: 'The fastest way to see one event arrive: paste it into a terminal.',
      code: `curl '${EVENTS_URL}/v1/track' \\
  -H 'Authorization: Bearer ${key}' \\
  -H 'Content-Type: application/json' \\
  -d '{"userId":"ann","event":"Signed Up","properties":{"plan":"pro"}}'`
    },
    {
      id: 'signed',
      title: 'Server with signature',
      note: 'A signature proves that your server has sent the event. SERVER_SECRET is the server secret of the source.',
      code: `import { createHmac } from 'node:crypto'

const body = JSON.stringify({ type: 'track', userId: 'ann', event: 'Signed Up' })
const timestamp = String(Date.now())
const signature = createHmac('sha256', process.env.SERVER_SECRET)
  .update(\`\${timestamp}.\${body}\`)
  .digest('hex')

await fetch('${EVENTS_URL}/v1/events', {
  method: 'POST',
  headers: {
    Authorization: 'Bearer ${key}',
    'Content-Type': 'application/json',
    'X-Timestamp': timestamp,
    'X-Signature': \`sha256=\${signature}\`
  },
  body
})`
    },
    {
      id: 'segment-browser',
      title: 'Segment, browser',
      note: 'For @segment/analytics-next. The pipeline key is the write key; cdnSettings keeps it from asking Segment.',
      code: `import { AnalyticsBrowser } from '@segment/analytics-next'

const writeKey = '${key}'
const cdnSettings = {
  integrations: { 'Segment.io': { apiKey: writeKey } },
  metrics: { sampleRate: 0 }
}
const analytics = AnalyticsBrowser.load(
  { writeKey, cdnSettings },
  { integrations: { 'Segment.io': { apiHost: '${path}/v1', protocol: '${protocol.slice(0, -1)}' } } }
)
analytics.track('Signed Up')`
    },
    {
      id: 'segment-node',
      title: 'Segment, Node.js',
      note: 'For @segment/analytics-node. Keep flushAt at 500 or less.',
      code: `import { Analytics } from '@segment/analytics-node'

const analytics = new Analytics({
  writeKey: '${key}',
  host: '${EVENTS_URL}'
})
analytics.track({ userId: 'ann', event: 'Signed Up' })
await analytics.closeAndFlush()`
    },
    {
      id: 'rudderstack-browser',
      title: 'RudderStack, browser',
      note: 'For @rudderstack/analytics-js. The bundled build and getSourceConfig keep it from asking RudderStack.',
      code: `import { RudderAnalytics } from '@rudderstack/analytics-js/bundled'

const writeKey = '${key}'
const source = {
  id: 'web',
  name: 'Web',
  writeKey,
  enabled: true,
  workspaceId: 'own',
  connections: [],
  destinations: [],
  dataplanes: {},
  config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } }
}
const analytics = new RudderAnalytics()
analytics.load(writeKey, '${EVENTS_URL}', {
  getSourceConfig: () => ({ source, updatedAt: new Date(0).toISOString() })
})
analytics.track('Signed Up')`
    },
    {
      id: 'rudderstack-node',
      title: 'RudderStack, Node.js',
      note: 'For @rudderstack/rudder-sdk-node. Without retryCount and errorHandler it drops events after some seconds.',
      code: `import RudderAnalytics from '@rudderstack/rudder-sdk-node'

const analytics = new RudderAnalytics('${key}', {
  dataPlaneUrl: '${EVENTS_URL}',
  retryCount: 10,
  errorHandler: console.error
})
analytics.track({ userId: 'ann', event: 'Signed Up' })
await analytics.flush()`
    },
    {
      id: 'pixel',
      title: 'Pixel',
      note: 'For mails and places without scripts. It needs no domain, because an image may be loaded from anywhere.',
      code: `<img src="${EVENTS_URL}/v1/pixel/track?wk=${key}&e=Mail%20Opened&uid=ann"
  width="1" height="1" alt="">`
    }
  ]
}
