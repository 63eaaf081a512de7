/** The tables, as Kysely types them; the migrations make them. */
export interface DatabaseSchema {}
