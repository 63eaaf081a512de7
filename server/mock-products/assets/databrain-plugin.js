/* global customElements, document, HTMLElement, URLSearchParams, window */
// Stands in for `@databrainhq/plugin` on a page: `<dbn-dashboard dashboard-id="…">`, and `Databrain` for a page that
// renders by functions. Both read `window.dbn` each time they ask for a guest token, as the product's component does.
const { origin } = new URL(import.meta.url)

class Dashboard extends HTMLElement {
  connectedCallback () {
    if (!this.hasAttribute('dashboard-id')) throw new Error('dbn-dashboard: "dashboard-id" is required')
    this.refresh()
  }

  /** Asks for a guest token, as the component does at first and when its token has expired. */
  refresh () {
    const frame = document.createElement('iframe')
    frame.title = 'DataBrain dashboard'
    frame.src = `${origin}/component#${new URLSearchParams(window.dbn ?? {})}`
    this.replaceChildren(frame)
  }
}

customElements.define('dbn-dashboard', Dashboard)

export function Databrain ({ dashboardId }) {
  const dashboard = document.createElement('dbn-dashboard')
  dashboard.setAttribute('dashboard-id', dashboardId)
  return dashboard
}
