// Names that the servers under test and the load share.

/** The path of the Bold BI site on the mock upstream. */
export const EMBED_SITE = '/bi/api/site/site1'
export const EMBED_SECRET = '8apLLNabQisvriG2W1nOI7XWkl2CsYY'
/** Prefix of a guest-token route that allows one request. */
export const LIMITED = '/limited'
/** The key of a source that accepts only the pages of one domain. */
export const SHOP_KEY = `dk_live_${'VUTSRQPONMLKJIHGFEDCBA9876543210'}`
export const GUEST_TOKEN = '01234567-89ab-4cde-8f01-23456789abcd'
/** A response of the widget-token route. */
export const WIDGET_REPLY = {
  token: 'x'.repeat(360),
  issuedAt: '2026-01-15T12:00:00.000Z',
  refreshAfter: '2026-01-15T12:16:00.000Z',
  expiresAt: '2026-01-15T12:20:00.000Z'
}
/** A response of Bold BI's authorize endpoint. */
export const EMBED_REPLY = {
  ApiStatus: true,
  Data: { access_token: 'x'.repeat(700), token_type: 'bearer', ItemDetail: 'y'.repeat(700) },
  Status: true
}
