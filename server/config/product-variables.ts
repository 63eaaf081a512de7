import { integer, matching, oneOf, product, text } from './variable.js'

/** The variables of the embedded products. */
export const productVariables = {
  DATABRAIN: product('DataBrain'),
  DATABRAIN_PROXY_KEY: text(
    "The proxy key that DataBrain's servers send; a list of two during a rotation",
    { otherwise: "the mock product's" }
  ),
  DATABRAIN_API_KEY: text('The API key for DataBrain', { otherwise: "the mock product's" }),
  DATABRAIN_API_URL: matching("DataBrain's API", '^https?://', 'a URL', { otherwise: 'https://api.usedatabrain.com' }),
  DATABRAIN_UPSTREAM_URL: matching(
    "The URL that the proxy forwards the component's calls to",
    '^https?://',
    'a URL',
    { otherwise: 'DATABRAIN_API_URL' }
  ),
  DATABRAIN_DATA_APP: text('The data app of the guest tokens', { maxLength: 256 }),
  DATABRAIN_ERROR_STATUS: oneOf(
    'The status of upstream errors: as DataBrain documents, or 502 and 504',
    ['product', 'gateway'],
    'product'
  ),
  BOLDBI: product('Bold BI'),
  BOLDBI_API_URL: matching(
    "The Bold BI site, in the form of the SDK's dashboardServerApiUrl",
    '^https?://',
    'a URL',
    { otherwise: "the mock product's" }
  ),
  BOLDBI_EMBED_SECRET: text('The embed secret of that site', { otherwise: "the mock product's" }),
  DXFEED: product('dxFeed'),
  DXFEED_SECRET: text('Signs widget tokens', { otherwise: "the mock product's" }),
  DXFEED_ISSUER: text('The issuer registered with dxFeed', { maxLength: 256, otherwise: "the mock product's" }),
  DXFEED_SESSION: text('The session registered with dxFeed', { maxLength: 256, otherwise: "the mock product's" }),
  DXFEED_USER: matching(
    'The user id from dxFeed, if every token must contain the same one',
    '^[^,;]{1,256}$',
    'at most 256 characters without "," and ";"',
    { otherwise: "none; the end user's own id" }
  ),
  DXFEED_FILTERS: text('The data filters of every token', { maxLength: 2_000 }),
  DXFEED_TIME_UNIT: oneOf("The unit of a token's times", ['ms', 's'], 'ms'),
  DXFEED_MINUTES: integer('Lifetime of a widget token, in minutes', 5, 20, 20),
  EMBED_ORIGINS: text(
    'The origins whose pages may call the embedding routes',
    { otherwise: "the server's own origin" }
  ),
  EMBED_USER: text(
    'The end user of requests without a user reference, identity token or session; refused in production',
    { maxLength: 256, otherwise: 'viewer@example.com with mock products only' }
  )
}
