import { suite } from '../../../suite.mjs'

const [plugin, autoConfig] = suite.ingestion

export { plugin as default, autoConfig }
