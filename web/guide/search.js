/* global addEventListener, location */
const MAX_RESULTS = 12

/** The search of the guide: `/` goes to it, the arrows select a result, Enter opens it. */
export function startSearch (indexUrl) {
  const input = document.querySelector('#search')
  const found = document.querySelector('.found')
  const list = found.querySelector('ul')
  const none = found.querySelector('.none')
  let index = null
  let selected = -1

  const load = async () => {
    index ??= fetch(indexUrl).then((response) => response.json()).catch(() => null)
    const loaded = await index
    if (loaded === null) index = null
    return loaded
  }

  const close = () => {
    found.hidden = true
    selected = -1
    input.setAttribute('aria-expanded', 'false')
    input.removeAttribute('aria-activedescendant')
  }

  const select = (at) => {
    const options = [...list.children]
    if (options.length === 0) return
    selected = (at + options.length) % options.length
    for (const [number, option] of options.entries()) option.setAttribute('aria-selected', String(number === selected))
    options[selected].scrollIntoView({ block: 'nearest' })
    input.setAttribute('aria-activedescendant', options[selected].id)
  }

  const search = async () => {
    const query = input.value
    if (query.trim() === '') return close()
    const loaded = await load()
    if (input.value !== query) return
    const results = loaded === null ? [] : find(loaded, query)
    list.replaceChildren(...results.map(optionOf))
    list.hidden = results.length === 0
    none.textContent = noteOf(loaded, results, query)
    none.hidden = results.length > 0
    found.hidden = false
    input.setAttribute('aria-expanded', String(results.length > 0))
    if (results.length > 0) select(0)
  }

  input.addEventListener('focus', load)
  input.addEventListener('input', search)
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      if (found.hidden) input.blur()
      close()
    } else if (found.hidden) {
      if (event.key === 'ArrowDown') search()
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      select(selected + (event.key === 'ArrowDown' ? 1 : -1))
    } else if (event.key === 'Enter') {
      const link = list.children[selected]?.dataset.href
      if (link !== undefined) open(link)
    }
  })
  list.addEventListener('click', ({ target }) => open(target.closest('li').dataset.href))
  addEventListener('click', ({ target }) => { if (!target.closest('.search')) close() })
  addEventListener('keydown', (event) => {
    const isTyping = event.target.closest('input, textarea, select, [contenteditable]') !== null
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping) return
    event.preventDefault()
    input.focus()
    input.select()
  })

  function open (href) {
    close()
    input.value = ''
    input.blur()
    location.href = href
  }
}

/** The sections that have every word of a query, those with it in their headings first. */
function find ({ pages, sections }, query) {
  const wanted = query.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? []
  if (wanted.length === 0) return []
  return sections.map(([page, anchor, heading, start, words]) => {
    const [name, title] = pages[page]
    const isWhole = anchor === ''
    const points = wanted.map((word) => pointsOf(word, { title, heading, words, isWhole }))
    return { name, title, anchor, heading, start, points: points.includes(0) ? 0 : points.reduce((sum, each) => sum + each) }
  }).filter(({ points }) => points > 0).sort((one, other) => other.points - one.points).slice(0, MAX_RESULTS)
}

function pointsOf (word, { title, heading, words, isWhole }) {
  if (title.toLowerCase() === word) return isWhole ? 40 : 6
  if (begins(heading, word)) return isWhole ? 20 : 12
  if (begins(title, word)) return 5
  if (` ${words}`.includes(` ${word}`)) return ` ${words} `.includes(` ${word} `) ? 3 : 2
  return 0
}

/** Whether a word of a text begins with another word, also inside a name such as pipelineKey. */
function begins (text, word) {
  return (text.replace(/([a-z])([A-Z])/g, '$1 $2') + ` ${text}`).toLowerCase().split(/[^\p{L}\p{N}_]+/u)
    .some((part) => part.startsWith(word))
}

function optionOf ({ name, title, anchor, heading, start }, at) {
  const option = document.createElement('li')
  option.id = `found-${at}`
  option.setAttribute('role', 'option')
  option.setAttribute('aria-selected', 'false')
  option.dataset.href = (name || './') + (anchor === '' ? '' : `#${anchor}`)
  option.append(line('strong', anchor === '' ? title : heading), line('span', anchor === '' ? '' : title), line('small', start))
  return option
}

function line (tag, text) {
  const element = document.createElement(tag)
  element.textContent = text
  return element
}

function noteOf (loaded, results, query) {
  if (loaded === null) return 'The search could not be loaded. Type again to retry.'
  return results.length === 0 ? `No page contains “${query.trim()}”.` : ''
}
