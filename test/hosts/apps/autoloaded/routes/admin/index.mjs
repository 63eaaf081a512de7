import { suite } from '../../../suite.mjs'

const [plugin, autoConfig] = suite.adminAuth

export { plugin as default, autoConfig }
