/** Runs tasks one after the other, even after a failure; then rejects with the first error. */
export async function inTurn (tasks: Iterable<() => Promise<void>>): Promise<void> {
  const failures: unknown[] = []
  for (const task of tasks) await task().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
