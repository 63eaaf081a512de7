export { startSamlProvider } from './provider.js'
export type { SamlProvider, SamlProviderOptions, ServiceProvider } from './provider.js'
