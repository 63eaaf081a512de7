import { suite } from '../../suite.mjs'

const [plugin, autoConfig] = suite.eventSink

export { plugin as default, autoConfig }
