// Markdown to HTML, for the guide.
import hljs from 'highlight.js/lib/core'
import bash from 'highlight.js/lib/languages/bash'
import ini from 'highlight.js/lib/languages/ini'
import javascript from 'highlight.js/lib/languages/javascript'
import json from 'highlight.js/lib/languages/json'
import typescript from 'highlight.js/lib/languages/typescript'
import xml from 'highlight.js/lib/languages/xml'
import yaml from 'highlight.js/lib/languages/yaml'
import markdownIt from 'markdown-it'

for (const [name, language] of Object.entries({ bash, ini, javascript, json, typescript, xml, yaml })) {
  hljs.registerLanguage(name, language)
}

const md = markdownIt({ html: false, highlight })
const escape = md.utils.escapeHtml

md.renderer.rules.fence = (tokens, at) => {
  const { content, info } = tokens[at]
  // The reader can scroll a wide block by keyboard.
  return `<div class="code"><pre tabindex="0"><code>${highlight(content, info.trim())}</code></pre></div>\n`
}
md.renderer.rules.table_open = () => '<div class="table" role="group" aria-label="Table" tabindex="0"><table>\n'
md.renderer.rules.table_close = () => '</table></div>\n'
// The first cell of a table may be empty: no heading then.
md.renderer.rules.th_open = (tokens, at) => tokens[at + 1].content === '' ? '<td>' : '<th scope="col">'
md.renderer.rules.th_close = (tokens, at) => tokens[at - 1].content === '' ? '</td>' : '</th>\n'
// Pictures of the pages are not needed beside the pages.
md.renderer.rules.image = () => ''
md.renderer.rules.heading_open = (tokens, at) => {
  const id = tokens[at].attrGet('id')
  return `<${tokens[at].tag}${id === null ? '' : ` id="${escape(id)}"`}>`
}
md.renderer.rules.heading_close = (tokens, at) => {
  const { tag, meta } = tokens[at]
  const link = tag === 'h1' ? '' : `<a class="anchor" href="#${escape(meta.id)}" aria-label="Link to ${escape(meta.text)}">#</a>`
  return `${link}</${tag}>\n`
}

/**
 * Returns a page: its title, its HTML, and its sections with the anchors that GitHub gives their headings.
 *
 * @param markdown the text of the page
 * @param linkOf returns the URL of a relative link
 */
export function render (markdown, linkOf) {
  const tokens = md.parse(markdown.replace(/^<!--[\s\S]*?-->$/gm, ''), {})
  const sections = []
  const anchors = new Set()
  for (const [at, token] of tokens.entries()) {
    if (token.type === 'heading_open') {
      const text = plain(tokens[at + 1])
      const id = anchorOf(text, anchors)
      token.attrSet('id', id)
      tokens[at + 2].meta = { id, text }
      sections.push({ id, level: Number(token.tag.slice(1)), heading: text, text: '' })
    } else if (token.type === 'inline' && tokens[at - 1]?.type !== 'heading_open' && sections.length > 0) {
      sections.at(-1).text += `${plain(token)} `
    } else if (token.type === 'fence' && sections.length > 0) {
      sections.at(-1).text += `${token.content} `
    }
    for (const child of token.children ?? []) {
      if (child.type !== 'link_open') continue
      const { href, external } = linkOf(child.attrGet('href'))
      child.attrSet('href', href)
      if (external) child.attrSet('rel', 'noopener')
    }
  }
  return { title: sections[0].heading, html: md.renderer.render(tokens, md.options, {}), sections }
}

function plain ({ children = [] }) {
  return children.map(({ type, content }) => type === 'softbreak' ? ' ' : ['text', 'code_inline'].includes(type) ? content : '').join('')
}

/** The anchor that GitHub creates for a heading. */
function anchorOf (title, taken) {
  const first = title.toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-')
  let anchor = first
  for (let count = 1; taken.has(anchor); count++) anchor = `${first}-${count}`
  taken.add(anchor)
  return anchor
}

function highlight (code, name) {
  const alias = { sh: 'bash', html: 'xml', js: 'javascript', jsx: 'javascript', ts: 'typescript' }[name] ?? name
  return hljs.getLanguage(alias) === undefined ? escape(code) : hljs.highlight(code, { language: alias }).value
}
