/** A mint of a guest token takes seconds; one that began longer ago than this, in milliseconds, is not waited for. */
export const LONGEST_MINT = 600_000
