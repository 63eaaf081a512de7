import 'fastify'

declare module 'fastify' {
  interface Session {
    /** The id of the signed-in user. */
    user?: string
    /** When the user signed in, epoch milliseconds. A revocation ends older sessions. */
    signedInAt?: number
  }
}
