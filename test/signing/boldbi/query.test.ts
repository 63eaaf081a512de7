import t from 'tap'

import { EmbedQueryError, embedValue, parseEmbedQuery, withEmbedValue } from '../../../signing/boldbi/query.js'
import type { EmbedQueryReason } from '../../../signing/boldbi/query.js'
import { stringWork } from '../../helpers/string-work.js'

/** A query as SDK 14 builds it, after encodeURI. */
const QUERY =
  'embed_nonce=3601299f-541b-4cce-b1f2-aacda277134f&embed_dashboard_id=c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff&embed_dashboard_ids=' +
  '&embed_dashboard_path=/Sales/%C3%9Cber%20sicht&embed_dashboard_paths=&pinboard_name=&embed_mode=view&embed_timestamp=1756891690&embed_expirationtime=86400'
const SERVER_KEYS = ['embed_user_email', 'embed_server_timestamp', 'embed_signature', 'embed_datasource_filter',
  'embed_custom_attribute', 'embed_group_access', 'embed_auth_provider', 'embed_user_id', 'embed_user_import',
  'embed_anonymous_token', 'embed_authorize_group']

function fault (text: string, options?: { pinboard?: boolean }): EmbedQueryReason | null {
  try {
    parseEmbedQuery(text, options)
    return null
  } catch (error) {
    if (!(error instanceof EmbedQueryError)) throw error
    return error.reason
  }
}

t.test('the query of the SDK is parsed in its order and unchanged', async (t) => {
  const query = parseEmbedQuery(QUERY)
  t.equal(query.map(([key, value]) => `${key}=${value}`).join('&'), QUERY)
  t.equal(embedValue(query, 'embed_dashboard_path'), '/Sales/Über sicht')
  t.equal(embedValue(query, 'embed_dashboard_ids'), '')
  t.equal(embedValue(query, 'isMultiTab'), null)
  t.same(parseEmbedQuery('isMultiTab=a=b'), [['isMultiTab', 'a=b']])
})

t.test('a value can be set in its place or at the end', async (t) => {
  const query = parseEmbedQuery('embed_mode=design&embed_nonce=1')
  t.same(withEmbedValue(query, 'embed_mode', 'a&b ü'), [['embed_mode', 'a%26b%20%C3%BC'], ['embed_nonce', '1']])
  t.same(withEmbedValue(query, 'embed_timestamp', '5'), [['embed_mode', 'design'], ['embed_nonce', '1'], [
    'embed_timestamp',
    '5'
  ]])
  t.same(query, [['embed_mode', 'design'], ['embed_nonce', '1']])
})

t.test('a key that only the server can set is refused in every case and spelling', async (t) => {
  for (const key of SERVER_KEYS) {
    const spellings = [key, key.toUpperCase(), key.replace('e', 'E'), key.replace('embed', '%65mbed'),
      key.replaceAll('_', '%5F'), key.replaceAll('_', '%5f'), `%20${key}`, `${key}%20`, [...key].map((character) =>
        `%${character.charCodeAt(0).toString(16)}`
      ).join('')]
    for (const spelling of spellings) {
      t.equal(fault(`${QUERY}&${spelling}=admin@x`), 'server_key', spelling)
      t.equal(fault(`${spelling}=admin@x&${QUERY}`), 'server_key', spelling)
    }
    t.equal(fault(`${QUERY}&${key}`), 'server_key', 'without a value')
  }
})

t.test('a server key inside a value is refused, because a reader that decodes first would find it', async (t) => {
  for (
    const value of ['x%26embed_user_email=admin', 'x%26embed_user_email%3Dadmin', 'x%26EMBED_USER_EMAIL%20%3Dadmin',
      'x;embed_user_email=admin', '?embed_signature=']
  ) {
    t.equal(fault(`embed_nonce=1&pinboard_name=${value}`), 'server_key', value)
  }
  for (
    const value of ['x;embed_user%255Femail=a', 'x;embed%25255Fsignature%25253DA', 'x;embed_user_email+=a',
      'x;embed_user%25u005Femail=a', '%25zz;embed_user%255Femail=a']
  ) {
    t.equal(fault(`embed_nonce=1&pinboard_name=${value}`), 'server_key', value)
  }
  t.equal(fault('embed_nonce=1&pinboard_name=embed_user_email'), null, 'the name alone is no parameter')
})

t.test('"&" and "#" inside a value are refused at every level of encoding, and too deep encoding ' +
  'is refused', async (t) => {
  for (
    const character of ['%26', '%23', '%2526', '%25252523', '%25u0026', '%zz%26'.replace('%zz', '%25zz'), '%25%32%36']
  ) {
    t.equal(fault(`embed_nonce=1&pinboard_name=a${character}b`), 'delimiter', character)
  }
  t.equal(fault(`embed_nonce=1&pinboard_name=a%${'25'.repeat(20)}26b`), 'bad_encoding')
  for (const value of ['100%25', '50%2525', '%2520', '%25zz', '%25u12', 'a=b', '%7B%22Column%22:1%7D']) {
    t.equal(fault(`embed_nonce=1&pinboard_name=${value}`), null, value)
  }
})

t.test('a repeated or unknown key is refused', async (t) => {
  t.equal(fault(`${QUERY}&embed_mode=view`), 'duplicate_key')
  t.equal(fault('isMultiTab=1&isMultiTab=1'), 'duplicate_key')
  for (
    const key of ['foo', 'Embed_Mode', 'EMBED_MODE', '%65mbed_mode', 'embed%5fmode', 'embed_mode%00', 'embed_mode[]',
      'embed_mode%5B%5D', '__proto__', 'constructor', 'embed_mode%20', '+embed_mode', '?embed_nonce', 'embed%2565_mode',
      'ismultitab']
  ) {
    t.ok(['unknown_key', 'forbidden_character', 'bad_encoding'].includes(fault(`embed_nonce=1&${key}=1`) ?? ''), key)
  }
})

t.test('the keys of the pinboard are accepted only with the option pinboard', async (t) => {
  for (
    const key of ['homepageId', 'layout', 'moveFrom', 'moveTo', 'unpinPosition', 'isUnpin', 'isPinUpdate',
      'pinWidgetId', 'pinDashbooardId', 'pinWidgetName']
  ) {
    t.equal(fault(`embed_nonce=1&${key}=1`), 'unknown_key', key)
    t.equal(fault(`embed_nonce=1&${key}=1`, { pinboard: true }), null, key)
  }
})

t.test('a raw control character, space, non-ASCII character or "#" is refused in keys and values', async (t) => {
  const codes = [...Array(0x21).keys(), ...Array.from({ length: 0x81 }, (_, at) => 0x7f + at), 0x2028, 0xff1d, 0x1f642,
    0xd800]
  for (const code of codes) {
    const character = String.fromCodePoint(code)
    t.equal(fault(`embed_nonce=1&pinboard_name=a${character}b`), 'forbidden_character', `U+${code.toString(16)}`)
    t.equal(fault(`embed_nonce=1&pinboard${character}name=a`), 'forbidden_character', `U+${code.toString(16)}`)
  }
  for (const character of '#"<>\\^`{|}[]') {
    t.equal(fault(`embed_nonce=1&pinboard_name=${character}`), 'forbidden_character', character)
  }
})

t.test('malformed percent-encoding, and encoded line ends and NUL, are refused', async (t) => {
  for (
    const value of ['%', '%2', '%zz', '%0', 'a%', '%u000a', '%C3', '%80', '%C0%AF', '%ED%A0%80', '%F5%80%80%80', '%FF',
      '%0d%0aSet-Cookie:x=1', '%0A', '%0D', '%00', '%%0a0a']
  ) {
    t.equal(fault(`embed_nonce=1&pinboard_name=${value}`), 'bad_encoding', value)
    t.equal(fault(`embed_nonce=1&pinboard${value}=1`), 'bad_encoding', value)
  }
  for (const value of ['%01', '%7F', '%250a', '%F0%9F%99%82', "!$'()*+,;=:@/?-._~"]) {
    t.equal(fault(`embed_nonce=1&pinboard_name=${value}`), null, value)
  }
})

t.test('a string that is no list of pairs is refused', async (t) => {
  t.equal(fault(''), 'empty')
  for (const text of ['embed_nonce', '=1', '&', 'embed_nonce=1&', '&embed_nonce=1', 'embed_nonce=1&&embed_mode=view']) {
    t.equal(fault(text), 'malformed', text)
  }
})

t.test('error messages do not contain the query', async (t) => {
  for (
    const text of ['hunter2=1', 'hunter2', 'embed_nonce=hunter2%', 'embed_nonce=hunter2#', 'embed_user_email=hunter2',
      'embed_mode=hunter2&embed_mode=1']
  ) {
    t.throws(() => parseEmbedQuery(text), { name: 'EmbedQueryError', message: /^The embed query (?!.*hunter2)/ }, text)
  }
})

t.test('a query of 512 KB is read a few times', async (t) => {
  const cases: Array<[string, EmbedQueryReason | null]> = [
    [`embed_nonce=1&pinboard_name=${'a%20'.repeat(131_072)}`, null],
    ['embed_nonce=1&'.repeat(37_449), 'duplicate_key'],
    [`pinboard_name=${'embed_user_email '.repeat(30_000).replaceAll(' ', '%20')}`, null],
    [`embed_nonce=1&pinboard_name=${'%2525'.repeat(104_857)}`, null],
    [`embed_nonce=1&pinboard_name=%${'25'.repeat(262_144)}`, 'bad_encoding'],
    [`embed_nonce=1&pinboard_name=embed_user_email${'+'.repeat(500_000)}`, null]
  ]
  for (const [query, expected] of cases) {
    const { read } = await stringWork(() => t.equal(fault(query), expected, query.slice(0, 60)))
    t.ok(read < 10 * query.length, `${read} characters of ${query.length} are read`)
  }
})
