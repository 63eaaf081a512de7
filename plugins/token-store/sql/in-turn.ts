/** Does one thing after the other, those behind one that fails too; then rejects with the first failure. */
export async function inTurn (things: Iterable<() => Promise<void>>): Promise<void> {
  const failures: unknown[] = []
  for (const thing of things) await thing().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
