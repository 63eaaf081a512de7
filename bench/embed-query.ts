/**
 * What the dearest queries of 510 KB cost `POST /authorize` before its host is asked: the processor time of reading,
 * checking and rewriting each of them, the least of a dozen turns, in milliseconds.
 */
import { checkQuery } from '../routes/embed-authorize/policy.js'

const TURNS = 12
const SIZE = 510_000
const START = 'embed_nonce=3601299f-541b-4cce-b1f2-aacda277134f&embed_mode=view'
const limits = { pinboard: true, maxExpiration: 86_400_000, maxDashboards: 500 }

function filled (key: string, unit: string): string {
  const start = `${START}&${key}=`
  return start + unit.repeat(Math.floor((SIZE - start.length) / unit.length))
}

function numbered (key: string): string {
  return `${START}&${key}=${Array.from({ length: 85_000 }, (_none, at) => at).join(',')}`
}

const queries: Record<string, string> = {
  'a letter, encoded five times': filled('pinboard_name', '%252525252541'),
  'a letter, encoded four times as .NET does': filled('pinboard_name', '%252525u0041'),
  'a letter whose digits are encoded too': filled('pinboard_name', '%252525%252534%252531'),
  'one percent sign, encoded 250 000 times': `${START}&pinboard_name=%${'25'.repeat(250_000)}`,
  'one dashboard, 255 000 times': filled('embed_dashboard_ids', 'a,'),
  '85 000 dashboards': numbered('embed_dashboard_ids'),
  'commas instead of dashboards': filled('embed_dashboard_ids', ','),
  'one widget, 255 000 times': filled('embed_widget_list', 'a,'),
  '85 000 widgets': numbered('embed_widget_list'),
  'a path of slashes': filled('embed_dashboard_path', '/'),
  'a path of spaces': filled('embed_dashboard_path', '%20'),
  'a path of emoji': filled('embed_dashboard_path', '%F0%9F%98%80'),
  'names of the server’s keys': filled('pinboard_name', 'embed_user_email+'),
  'a key of 510 KB': `${'a%2541'.repeat(85_000)}=1`,
  '127 000 pairs': 'a=1&'.repeat(127_000),
  'nothing but "&"': '&'.repeat(SIZE)
}

function cost (query: string): number {
  const before = process.cpuUsage()
  try {
    checkQuery(query, 'https://bi.test', limits, Math.floor(Date.now() / 1000))
  } catch {
    // A refusal has a cost too.
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const costs = Object.entries(queries).map(([name, query]) =>
  [name, Math.min(...Array.from({ length: TURNS }, () => cost(query)))] as const
)
for (const [name, milliseconds] of costs.sort(([, one], [, other]) => other - one)) {
  console.log(milliseconds.toFixed(1).padStart(6), name)
}
