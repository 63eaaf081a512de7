import { suite } from '../../suite.mjs'

const [plugin, autoConfig] = suite.proxyKey

export { plugin as default, autoConfig }
