import { reply } from './stub-upstream.js'
import type { Answer } from './stub-upstream.js'

export const DASHBOARD_ID = 'sales-overview'
const METRIC = {
  companyId: 'company',
  isCreatedByClient: false,
  isLive: false,
  rlsConditions: [],
  createdAt: '2026-01-01T00:00:00.000Z',
  description: ''
}
const OFF = { card: { isEnable: false }, chart: { isEnable: false } }

function metric (id: string, name: string, chartOptions: object, xAxis: number) {
  const resizeAttributes = { width: 6, height: 12, xAxis, yAxis: 0 }
  return {
    externalMetric: {
      ...METRIC,
      id,
      metricId: id,
      name,
      chartOptions,
      clickActions: OFF,
      drillDownSettings: {},
      resizeAttributes
    }
  }
}

/**
 * DataBrain's backend as `@databrainhq/plugin` 0.12.9 calls it: a dashboard of a table and a bar chart for the client
 * whose guest token comes, and
 * an error for any other token, as the product words it.
 */
export function dashboardBackend (tokens: Readonly<Record<string, string>>): Answer {
  const clients = new Map(Object.entries(tokens).map(([client, token]) => [token, client]))
  return (call, response) => {
    const client = clients.get(String(call.headers['x-plugin-token']))
    if (client === undefined) return reply({ error: { message: 'Invalid token' } }, 401)(call, response)
    const url = new URL(call.url, 'http://backend')
    switch (`${call.method} ${url.pathname}`) {
      case 'GET /api/v2/dashboard':
        return reply({ data: dashboardOf(client, url.searchParams.get('dashboardId')) })(call, response)
      case 'GET /api/v2/metric/layout':
        return reply({ data: { layout: [], isLocked: true } })(call, response)
      case 'POST /api/v2/metric/query':
        return reply({ data: { data: JSON.stringify(rowsOf(client)), totalRecords: 2 } })(call, response)
      default:
        return reply({ error: { message: 'No such call' } }, 404)(call, response)
    }
  }
}

function dashboardOf (client: string, id: string | null) {
  if (id !== DASHBOARD_ID) return { error: { message: 'Invalid dashboard id' } }
  return {
    externalDashboard: { id: 'pk', externalDashboardId: id, name: `Sales of ${client}`, filters: [], layout: [] },
    externalMetrics: [
      metric('table', 'By product', {
        chartType: 'table',
        xAxis: 'product',
        yAxisList: ['product', 'revenue'],
        tableSettings: { defaultRowSize: '10' }
      }, 0),
      metric('bar', 'As a chart', {
        chartType: 'bar',
        xAxis: 'product',
        yAxisList: ['revenue'],
        margins: {},
        legendSettings: {},
        labelSettings: {},
        customSettings: {}
      }, 6)
    ],
    clientId: client,
    companyId: 'company',
    companyTenancyType: 'TABLE',
    workspace: { id: 'workspace' }
  }
}

function rowsOf (client: string) {
  return [{ product: `Apples for ${client}`, revenue: 4711 }, { product: `Pears for ${client}`, revenue: 815 }]
}
