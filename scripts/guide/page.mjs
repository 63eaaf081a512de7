// The HTML of a page of the guide.

const ICON = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cpath d='M4 30V14a12 12 0 0 1 24 0v16h-7V15a5 5 0 0 0-10 0v15z' fill='%234a4fc7'/%3E%3C/svg%3E"
const GATE = '<svg width="18" height="18" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M2 14V6.5C2 4 4 2 6.5 2h3C12 2 14 4 14 6.5V14M2 14h12M5.5 14V7.5m5 6.5V7.5M8 14V5.5M2 9.5h12"/></svg>'
/** The other pages of the built-in server, relative to the guide. The server leaves out those that it does not have. */
const PLACES = [['../', 'Start', '__START__'], ['../console/', 'Console', '__CONSOLE__'], ['./', 'Guide', ''], ['../docs', 'API', '']]

/**
 * @param page the page: `{ name, title, html, sections }`
 * @param around `{ groups, titles, previous, next, assets }`
 */
export function pageHtml ({ name, title, html, sections }, { groups, titles, previous, next, assets }) {
  const contents = sections.filter(({ level }) => level === 2 || level === 3)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${name === '' ? 'Guide' : `${escaped(title)} · Guide`} · Gatehouse</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="assets/${assets.css}">
<script src="assets/${assets.js}" data-index="assets/${assets.index}"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header class="top">
<button class="menu" type="button" aria-expanded="false" aria-controls="pages">Pages</button>
<a class="brand" href="./" aria-label="Gatehouse guide">${GATE}<span>Gatehouse</span></a>
<div class="search" role="search">
<input type="search" id="search" role="combobox" aria-label="Search the guide" aria-expanded="false" aria-controls="found" aria-autocomplete="list" autocomplete="off" spellcheck="false" placeholder="Search" maxlength="100">
<kbd aria-hidden="true">/</kbd>
<div class="found" hidden><ul id="found" role="listbox" aria-label="Results"></ul><p class="none" role="status"></p></div>
</div>
<nav class="places" aria-label="Gatehouse">${places()}</nav>
<button class="theme" type="button">Theme</button>
</header>
<div class="columns">
<nav class="pages" id="pages" aria-label="Pages of the guide">
<div class="places">${places()}</div>
<a class="first" href="./"${name === '' ? ' aria-current="page"' : ''}>Introduction</a>
${groups.map(({ name: group, pages }) => `<h2>${escaped(group)}</h2>
<ul>${pages.map((page) => `<li><a href="${page}"${page === name ? ' aria-current="page"' : ''}>${escaped(titles.get(page))}</a></li>`).join('')}</ul>`).join('\n')}
</nav>
<main id="content" tabindex="-1">
<article>
${html}</article>
<nav class="turn" aria-label="Previous and next page">
${previous === undefined ? '<span></span>' : `<a rel="prev" href="${previous.name || './'}"><small>Previous</small>${escaped(previous.name === '' ? 'Introduction' : previous.title)}</a>`}
${next === undefined ? '' : `<a rel="next" href="${next.name}"><small>Next</small>${escaped(next.title)}</a>`}
</nav>
</main>
${contents.length < 2
  ? ''
  : `<nav class="contents" aria-label="On this page">
<h2>On this page</h2>
<ul>${contents.map(({ id, level, heading }) => `<li class="level-${level}"><a href="#${escaped(id)}">${escaped(heading)}</a></li>`).join('')}</ul>
</nav>`}
</div>
</body>
</html>
`
}

function places () {
  return PLACES.map(([href, label, only]) =>
    `${only}<a href="${href}"${label === 'Guide' ? ' aria-current="true"' : ''}>${label}</a>${only}`
  ).join('')
}

function escaped (text) {
  return text.replace(/[&<>"]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character])
}
