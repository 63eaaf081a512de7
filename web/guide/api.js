/* global location, MutationObserver */
import { showTheme, startTheme } from './theme.js'

// The bar above Swagger UI, as the guide has it. The server writes the list: [path, label, whether it is this page].
const PLACES = '__PLACES__'

// The path of the server, also below the path of a proxy.
const root = location.pathname.replace(/docs\/?$/, '')

showTheme()
const viewport = document.createElement('meta')
viewport.name = 'viewport'
viewport.content = 'width=device-width, initial-scale=1'
document.head.append(viewport)
document.body.prepend(bar())
new MutationObserver(describe).observe(document.querySelector('#swagger-ui'), { childList: true, subtree: true })

/** Adds what screen readers need and Swagger UI leaves out. */
function describe () {
  const set = (selector, attribute, value) => {
    for (const element of document.querySelectorAll(selector)) element.setAttribute(attribute, value)
  }
  set('.opblock-tag, .modal-ux-header h3', 'aria-level', '2')
  set('.swagger-ui h4', 'aria-level', '3')
  set('.swagger-ui h5', 'aria-level', '4')
  set('.swagger-ui pre', 'tabindex', '0')
  set('.information-container > section', 'aria-label', 'About this API')
  set('.scheme-container > section', 'aria-label', 'Authorization')
  set('.body-param__text', 'aria-label', 'Request body')
  set('.close-modal', 'aria-label', 'Close the dialog')
  set('.modal-btn.authorize', 'aria-label', 'Authorize: apply credentials')
}

function bar () {
  const header = document.createElement('header')
  header.className = 'top'
  const nav = document.createElement('nav')
  nav.className = 'places'
  nav.setAttribute('aria-label', 'Gatehouse')
  nav.append(...PLACES.map(([path, label, isHere]) => {
    const link = document.createElement('a')
    link.href = root + path
    link.textContent = label
    if (isHere) link.setAttribute('aria-current', 'page')
    return link
  }))
  const brand = document.createElement('strong')
  brand.className = 'brand'
  brand.textContent = 'Gatehouse'
  const button = document.createElement('button')
  button.type = 'button'
  startTheme(button)
  header.append(brand, nav, button)
  return header
}
