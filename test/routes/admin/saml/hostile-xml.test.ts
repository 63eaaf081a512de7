import t from 'tap'

import { openXmlParser } from '../../../../routes/admin/saml/xml.js'

const SIZE = 190_000

function repeated (count: number, part: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => part(at)).join('')
}

t.test('a document that is nested too deeply is refused before it is parsed', async (t) => {
  const parser = await openXmlParser()
  const parse = (text: string) => parser(text, 20_000)
  const levels = (count: number, part: (at: number) => string, end: string) =>
    repeated(count, part) + end.repeat(count)
  t.equal(parse(levels(64, () => '<a>', '</a>')).localName, 'a')
  const deep = [
    levels(65, () => '<a>', '</a>'),
    levels(65, () => '<a b="/">', '</a>'),
    levels(65, () => "<a b='\"/>'>", '</a>'),
    levels(65, () => '<!-- </a> --><a>', '</a>'),
    // The package refuses the end tags, after seconds.
    levels(9_000, (at) => `<a xmlns:b${at}="u">`, '</b>')
  ]
  for (const [at, text] of deep.entries()) {
    t.throws(() => parse(text), { message: 'the XML is nested too deeply' }, String(at))
  }
})

t.test('an element with too many attributes is refused', async (t) => {
  const parser = await openXmlParser()
  const parse = (text: string) => parser(text, 20_000)
  const element = (count: number, name: string) => `<a${repeated(count, (at) => ` ${name}${at}="="`)}/>`
  t.equal(parse(element(32, 'b')).attributes.length, 32)
  for (const text of [element(33, 'b'), element(33, 'xmlns:b'), element(10_000, 'b')]) {
    t.throws(() => parse(text), { message: 'an element of the XML has too many attributes' })
  }
})

t.test('a document that is not well-formed is refused, however long it is', async (t) => {
  const parser = await openXmlParser()
  const parse = (text: string) => parser(text, 20_000)
  const broken = [
    '<a '.repeat(SIZE / 3),
    `<a${' '.repeat(SIZE)}`,
    `<a b="${' b='.repeat(SIZE / 3)}`,
    `<a>${'<!--'.repeat(SIZE / 10)}`,
    `<!--${' -'.repeat(SIZE / 2)}`,
    `<a b="<">${' '.repeat(SIZE)}</a>`,
    '<a>'.repeat(5)
  ]
  for (const text of broken) {
    t.throws(() => parse(text), { message: /^the XML (is not well-formed|has too many elements)$/ }, text.slice(0, 20))
  }
})
