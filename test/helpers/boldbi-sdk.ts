import { randomUUID } from 'node:crypto'

/** What a page tells the embed SDK. */
export interface SdkOptions {
  dashboardId?: string
  dashboardIds?: string[]
  dashboardPath?: string
  dashboardPaths?: string[]
  pinboardName?: string
  mode?: string
  expirationTime?: number
  viewId?: string
  viewName?: string
  widgetName?: string
  widgetList?: string[]
  isMultiTab?: boolean
  datasourceId?: string
  datasourceName?: string
}

export interface SdkBody {
  embedQuerString: string
  embedQueryString: string
  dashboardServerApiUrl: string
}

/** The queries that version 14 of the SDK makes, each in its order of keys; values go in as the page gave them. */
export const sdkQueries = {
  render (options: SdkOptions): string {
    const {
      dashboardId = '',
      dashboardIds = [],
      dashboardPath = '',
      dashboardPaths = [],
      pinboardName = '',
      viewId,
      viewName,
      widgetName,
      widgetList
    } = options
    const { isMultiTab, datasourceId, datasourceName } = options
    const view = viewId === undefined
      ? viewName === undefined ? [] : [`embed_dashboardview_name=${viewName}`]
      : [`embed_dashboardview_id=${viewId}`]
    const source = datasourceId === undefined
      ? datasourceName === undefined ? [] : [`embed_datasource_name=${datasourceName}`]
      : [`embed_datasource_id=${datasourceId}`]
    return [
      `embed_nonce=${randomUUID()}`,
      `embed_dashboard_id=${dashboardId}`,
      `embed_dashboard_ids=${dashboardIds.join(',')}`,
      `embed_dashboard_path=${dashboardPath}`,
      `embed_dashboard_paths=${dashboardPaths.join(',')}`,
      `pinboard_name=${pinboardName}`,
      ...ends(options),
      ...view,
      ...widgetName === undefined ? [] : ['embed_widget_isenabled=true', `embed_widget_name=${widgetName}`],
      ...widgetList === undefined
        ? []
        : ['embed_widget_isenabled=true',
          `embed_widget_list=${widgetList.map((name) => name.toLowerCase()).join(',')}`],
      ...isMultiTab === true ? ['isMultiTab=true'] : [],
      ...source
    ].join('&')
  },
  changeLayout: (homepageId: string, layout: number) => action({}, `homepageId=${homepageId}`, `layout=${layout}`),
  move: (homepageId: string, from: object, to: object) =>
    action({}, `homepageId=${homepageId}`, `moveFrom=${JSON.stringify(from)}`, `moveTo=${JSON.stringify(to)}`),
  unpin: (homepageId: string, position: object) =>
    action({}, `homepageId=${homepageId}`, `unpinPosition=${JSON.stringify(position)}`, 'isUnpin=true'),
  pin: (
    homepageId: string,
    { dashboardId, widgetId, widgetName, pinboardName }: Record<
      'dashboardId' | 'widgetId' | 'widgetName' | 'pinboardName',
      string
    >
  ) =>
    action(
      {},
      `homepageId=${homepageId}`,
      'isPinUpdate=true',
      `pinWidgetId=${widgetId}`,
      `pinDashbooardId=${dashboardId}`,
      `pinWidgetName=${widgetName}`,
      `pinboard_name=${pinboardName}`
    )
}

function action (options: SdkOptions, ...pairs: string[]): string {
  return [`embed_nonce=${randomUUID()}`, ...pairs, ...ends(options)].join('&')
}

function ends ({ mode = 'view', expirationTime = 86_400 }: SdkOptions): string[] {
  return [`embed_mode=${mode}`, `embed_timestamp=${Math.round(Date.now() / 1000)}`,
    `embed_expirationtime=${expirationTime}`]
}

/** What the SDK posts: the query under both names, encoded once by encodeURI. */
export function sdkBody (query: string, dashboardServerApiUrl: string): SdkBody {
  return { embedQuerString: encodeURI(query), embedQueryString: encodeURI(query), dashboardServerApiUrl }
}

/**
 * A script of a page: `sdkShow({ url, body, headers })` posts as the SDK does, and shows what it would: the token of
 * a 200 whose `Status` is true;
 * else its `Message`, as HTML; of any other status the status text alone. Gives the text that is then to be seen.
 */
export const SDK_SCRIPT = `window.sdkShow = ({ url, body, headers }) => new Promise((resolve) => {
  const container = document.createElement('div')
  document.body.append(container)
  const http = new XMLHttpRequest()
  http.open('POST', url, true)
  http.responseType = 'json'
  http.setRequestHeader('Content-type', 'application/json')
  for (const name in headers) http.setRequestHeader(name, headers[name])
  http.onreadystatechange = () => {
    if (http.readyState !== 4) return
    const failure = http.status !== 200 ? http.statusText : http.response.Status ? null : http.response.Message
    if (failure === null) container.textContent = 'token ' + http.response.Data.access_token
    else container.innerHTML = '<div class="error">BoldBI Embedded:' + failure + '</div>'
    resolve(container.textContent)
  }
  http.send(JSON.stringify(body))
})`
