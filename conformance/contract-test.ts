/** A test runner such as tap or node:test. A test fails by rejecting. */
export interface ContractTest {
  test (name: string, run: () => Promise<void>): unknown
}
