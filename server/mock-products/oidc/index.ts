export { startOidcProvider } from './provider.js'
export type { OidcProvider, OidcProviderOptions } from './provider.js'
