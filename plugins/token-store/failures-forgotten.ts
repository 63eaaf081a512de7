/** Failures to log in this far apart no longer count as consecutive, milliseconds. */
export const FAILURES_FORGOTTEN_AFTER = 86_400_000
