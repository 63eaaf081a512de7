import { suite } from '../../suite.mjs'

const [plugin, autoConfig] = suite.adminGuard

export { plugin as default, autoConfig }
