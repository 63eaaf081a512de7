import { guardedRoute } from '../../suite.mjs'

export default async function guarded (app) {
  guardedRoute(app)
}
