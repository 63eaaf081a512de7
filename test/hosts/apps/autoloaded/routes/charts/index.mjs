import { suite } from '../../../suite.mjs'

const [plugin, autoConfig] = suite.widgetToken

export { plugin as default, autoConfig }
