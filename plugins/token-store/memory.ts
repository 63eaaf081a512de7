export { isMemoryStore, memoryStore } from './memory/index.js'
export type { MemoryStoreOptions } from './memory/index.js'
