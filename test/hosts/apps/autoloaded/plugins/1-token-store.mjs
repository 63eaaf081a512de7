import { suite } from '../../suite.mjs'

const [plugin, autoConfig] = suite.tokenStore

export { plugin as default, autoConfig }
