import { FORBIDDEN, GatehouseError, INTERNAL_ERROR, UNAUTHORIZED } from './errors.js'

/**
 * Asks a function of the host who the user is. Nobody (`null`, `undefined`) is 401 `UNAUTHORIZED`; an error of ours that it throws
 * counts as it is, another one by its `statusCode` if that is 401 or 403; any other is the host's own failure, 500.
 */
export async function askHost<Answer> (ask: () => Answer | null | undefined | Promise<Answer | null | undefined>): Promise<Answer> {
  let answer: Answer | null | undefined
  try {
    answer = await ask()
  } catch (thrown) {
    throw asDecision(thrown)
  }
  if (answer === null || answer === undefined) throw new UNAUTHORIZED({ reason: 'the host named no user' })
  return answer
}

function asDecision (thrown: unknown): GatehouseError {
  if (thrown instanceof GatehouseError) return thrown
  const status = typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown ? thrown.statusCode : undefined
  if (status === 401) return new UNAUTHORIZED({ reason: 'the host refused', cause: thrown })
  if (status === 403) return new FORBIDDEN({ reason: 'the host refused', cause: thrown })
  return new INTERNAL_ERROR({ reason: 'the function that names the user failed', cause: thrown })
}
