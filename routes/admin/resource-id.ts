import { NOT_FOUND } from '../../lib/errors.js'

const ID = /^[A-Za-z0-9_-]{1,64}$/

/** The id in a path; what can be none is 404, as an id that nothing has. */
export function idOf (params: unknown, name = 'id'): string {
  const { [name]: id = '' } = params as Record<string, string>
  if (!ID.test(id)) throw new NOT_FOUND()
  return id
}
