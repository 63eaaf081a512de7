/** A test of tap, of node:test or of anything else that runs named functions; a failure is thrown. */
export interface ContractTest {
  test (name: string, run: () => Promise<void>): unknown
}
