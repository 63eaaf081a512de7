import fc from 'fast-check'
import t from 'tap'

import {
  allSubjects, assertSubjectPrefix, fromToken, packedSubject, subjectOf,
  toToken
} from '../../../../plugins/event-sink/jetstream/subject.js'

t.test('a subject has one token for the organisation, one for the source and one for the type, whatever their ' +
  'names are', async (t) => {
  t.equal(subjectOf('events', { orgId: '5f2b-1c', sourceId: 'shop_1', type: 'track' }), 'events.5f2b-1c.shop_1.track')
  t.equal(subjectOf('acme.events', { orgId: 'a.b', sourceId: '*', type: 'page' }), 'acme.events.a%2Eb.%2A.page')
  t.equal(subjectOf('events', { orgId: '', sourceId: '>', type: 'group' }), 'events.%.%3E.group')
  t.equal(packedSubject('events'), 'events._packed')
  t.equal(allSubjects('events'), 'events.>')
})

const tokens = [
  [' ', '%20'],
  ['\t\r\n', '%09%0D%0A'],
  ['\u0000', '%00'],
  ['%', '%25'],
  ['%20', '%2520'],
  ['é', '%C3%A9'],
  ['🙂', '%F0%9F%99%82'],
  ['$JS', '%24JS'],
  ['\ud800', '%uD800'],
  ['a\udfffb', 'a%uDFFFb'],
  ['\udc00\ud800', '%uDC00%uD800'],
  ['u0041', 'u0041'],
  ['\u202e', '%E2%80%AE']
] as const

t.test("characters that a token can't hold are percent-encoded", async (t) => {
  for (const [text, token] of tokens) {
    t.equal(toToken(text), token)
    t.equal(fromToken(token), text)
  }
})

t.test('every text comes back from its token, no two share one, and none has a character that means something in ' +
  'a subject', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    const token = toToken(text)
    return fromToken(token) === text && /^[\w%-]+$/.test(token)
  }))
  fc.assert(fc.property(fc.array(fc.integer({ min: 0xd700, max: 0xe100 })), (codes) => {
    const text = String.fromCharCode(...codes)
    return fromToken(toToken(text)) === text
  }))
})

t.test('what no text becomes is no token', async (t) => {
  for (
    const token of ['', '%%', '%2', '%2e', '%41', '%u0041', '%uD800%uDC00', '%FF', 'a.b', '*', '>', 'é', 'a b', '%25%']
  ) t.equal(fromToken(token), null, token)
})

t.test('a prefix with anything but plain tokens is refused', async (t) => {
  for (const prefix of ['events', 'acme.events', 'a-b._c']) t.doesNotThrow(() => assertSubjectPrefix(prefix))
  for (const prefix of ['', '.', 'a.', '.a', 'a..b', 'a.*', '>', 'a b', '$JS', 'é', 'x'.repeat(101), 7, undefined]) {
    t.throws(() => assertSubjectPrefix(prefix), { code: 'INVALID_OPTIONS', message: /"stream\.subjectPrefix"/ })
  }
})
