// Compiled by `npm run typecheck`, never run: the claims of a user reference, in TypeScript.
import Fastify from 'fastify'

import {
  databrainProxy, embedAuthorize, guestToken, pageConfig, signUserReference, userReference,
  widgetToken
} from '../../index.js'
import type { PageConfig, ReferencedRequest, UserReference, UserReferenceClaims } from '../../index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
function assertType<Holds extends true> (): Holds | undefined {
  return undefined
}

interface CompanyClaims {
  company: string
}

const app = Fastify()
const shared = { apiKey: '…', dataAppName: 'acme', proxyKeys: ['…'] }

app.register(userReference, { keys: ['…'] })

// As docs/guest-token.md has it.
app.register(guestToken, {
  ...shared,
  authorize: ({ userReference }: ReferencedRequest<CompanyClaims>) =>
    userReference && {
      clientId: userReference.company,
      userId: userReference.sub,
      tenant: userReference.company
    },
  renewal: {
    url: 'https://app.example.com/api/databrain/guest-token',
    authorize: async () => ({ claims: { sub: 'ann', company: 'acme' }, tenant: 'acme', issuedAt: 1 })
  }
})
app.register(guestToken, {
  ...shared,
  // @ts-expect-error the time at which the user signed in is required: a revocation must reach the session
  renewal: { url: 'https://app.example.com/api/databrain/guest-token', authorize: () => ({ claims: { sub: 'ann' } }) }
})
const config = pageConfig({
  url: 'https://app.example.com/api/databrain/guest-token',
  proxyKey: '…',
  reference: 'v1.…'
})
assertType<Equal<typeof config, PageConfig>>()
assertType<Equal<PageConfig['isEnableProxyAuth'], true>>()
app.get('/dbn', () => config)
assertType<Equal<typeof guestToken.pageConfig, typeof pageConfig>>()
app.register(databrainProxy, {
  ...shared,
  async authorize ({ userReference }: ReferencedRequest<CompanyClaims>) {
    assertType<Equal<NonNullable<typeof userReference>['company'], string>>()
    return userReference && { clientId: userReference.company, issuedAt: userReference.iat }
  }
})
app.register(widgetToken, {
  secret: '…',
  issuer: 'i',
  session: 's',
  authorize: ({ userReference }: ReferencedRequest<CompanyClaims>) =>
    userReference && { user: userReference.sub, tenant: userReference.company }
})
app.register(embedAuthorize, {
  servers: [{ apiUrl: 'https://bi.example.com/bi/api/site/site1', embedSecret: '…' }],
  authorize: ({ userReference }: ReferencedRequest<CompanyClaims>, { dashboardId }) =>
    userReference && {
      username: userReference.sub,
      tenant: userReference.company,
      customAttributes: { dashboard: dashboardId ?? '' }
    }
})
app.register(guestToken, {
  ...shared,
  // @ts-expect-error without a type a claim is unknown
  authorize: ({ userReference }) => userReference && { clientId: userReference['company'] }
})
// The claims that every reference has need no type.
app.register(guestToken, {
  ...shared,
  authorize: ({ userReference }) => userReference && { clientId: userReference.sub, issuedAt: userReference.iat }
})

app.ready(() => {
  const claims: UserReferenceClaims<CompanyClaims> = { sub: 'ann', company: 'acme' }
  assertType<Equal<ReturnType<typeof app.userReference.sign>, string>>()
  app.userReference.sign(claims)
  app.userReference.sign({ sub: 'ann', company: 'acme', teams: [1, 2] })
  signUserReference(claims, { key: '…', audience: 'a' })
  // @ts-expect-error a reference names a user
  app.userReference.sign({ company: 'acme' })
  // @ts-expect-error the claim is a string
  app.userReference.sign({ sub: 'ann', company: 7 } satisfies UserReferenceClaims<CompanyClaims>)
  const typed = app.userReference.verify<CompanyClaims>('v1.…')
  assertType<Equal<typeof typed, UserReference<CompanyClaims> | null>>()
  const company: string | undefined = typed?.company
  const untyped: unknown = app.userReference.verify('v1.…')?.['company']
  console.log(company, untyped)
})
