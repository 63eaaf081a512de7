/** How many sessions of a user are listed at most, the newest. */
export const SESSIONS_LISTED = 100
