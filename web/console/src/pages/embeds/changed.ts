import { createStore } from '../../api/store.ts'

/** How often this page has changed a revocation: the list loads again. */
export const changes = createStore(0)
