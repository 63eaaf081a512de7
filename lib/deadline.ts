/** The longest time of a timer in milliseconds: Node.js runs a longer one after 1 ms. */
export const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Settles as `work` does, or rejects with the error of `onOverdue` after `limit` milliseconds; the work itself goes
 * on. The timer keeps
 * the process alive and is cleared as soon as the work has settled.
 *
 * @example
 * const secret = await withDeadline(fetchSecret(), 2_000, () => new Error('no answer within 2000 ms'))
 */
export async function withDeadline<Value> (
  work: Promise<Value>,
  limit: number,
  onOverdue: () => Error
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const overdue = new Promise<never>((_resolve, reject) => {
    // After a pause of the process, timers run before input that has arrived meanwhile: the input is read first.
    timer = setTimeout(() => setImmediate(() => reject(onOverdue())), limit)
  })
  try {
    return await Promise.race([work, overdue])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Resolves when `work` has settled, or after `limit` milliseconds; rejects if the work does so before. The work
 * itself goes on. The timer
 * keeps the process alive and is cleared as soon as the work has settled.
 *
 * @example
 * await waitAtMost(connection.drain(), 2_000)
 */
export async function waitAtMost (work: Promise<unknown>, limit: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limit)
  })
  try {
    await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
  }
}
