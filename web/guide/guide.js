/* global addEventListener, location, scrollTo, scrollY */
import { startSearch } from './search.js'
import { showTheme, startTheme } from './theme.js'

const root = document.documentElement
const indexUrl = document.currentScript.dataset.index

// Before the page is drawn.
showTheme()
root.dataset.js = ''

addEventListener('DOMContentLoaded', () => {
  startTheme(document.querySelector('.theme'))
  startDrawer()
  startCopying()
  startSearch(indexUrl)
  document.querySelector('#pages [aria-current]')?.scrollIntoView({ block: 'center' })
  scrollTo(0, location.hash === '' ? 0 : scrollY)
})

function startDrawer () {
  const button = document.querySelector('.menu')
  const set = (open) => {
    button.setAttribute('aria-expanded', String(open))
    root.toggleAttribute('data-drawer', open)
  }
  button.addEventListener('click', () => set(button.getAttribute('aria-expanded') !== 'true'))
  addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || !root.hasAttribute('data-drawer')) return
    set(false)
    button.focus()
  })
}

function startCopying () {
  if (navigator.clipboard === undefined) return
  for (const block of document.querySelectorAll('.code')) {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'copy'
    button.textContent = 'Copy'
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(block.querySelector('code').textContent.trimEnd())
      button.textContent = 'Copied'
      setTimeout(() => { button.textContent = 'Copy' }, 1_500)
    })
    block.append(button)
  }
}
