// Compiled by `npm run typecheck`, never run: identity tokens and the grants of the embedding routes, in TypeScript.
import Fastify from 'fastify'

import { databrainProxy, embedAuthorize, guestToken, identityToken, widgetToken } from '../../index.js'
import type { IdentifiedRequest, IdentityToken } from '../../index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
function assertType<Holds extends true> (): Holds | undefined {
  return undefined
}

interface OrgClaims {
  org_id: string
}

const app = Fastify()
const provider = { issuer: 'https://idp.example', audience: 'app' }
const databrain = { apiKey: '…', dataAppName: 'acme', proxyKeys: ['…'] }
const widget = { secret: '…', issuer: 'i', session: 's' }
const servers = [{ apiUrl: 'https://bi.example.com/bi/api/site/site1', embedSecret: '…' }]

app.register(identityToken, { providers: [provider] })
// @ts-expect-error the algorithm is a list
app.register(identityToken, { providers: [{ ...provider, algorithms: 'RS256' }] })

app.register(databrainProxy, { ...databrain, authorize: databrainProxy.identityGrant({ tenant: 'org_id' }) })
app.register(databrainProxy, {
  ...databrain,
  authorize: databrainProxy.identityGrant({ grant: ({ user, tenant }) => ({ params: { user, tenant } }) })
})
app.register(guestToken, { ...databrain, ...guestToken.identityGrants({ url: 'https://gate.example.com/t' }) })
app.register(widgetToken, { ...widget, authorize: widgetToken.identityGrant({ grant: () => ({ filters: ['a'] }) }) })
app.register(embedAuthorize, {
  servers,
  authorize: embedAuthorize.identityGrant({
    user: ({ claims, sub }) => typeof claims['email'] === 'string' ? claims['email'] : sub,
    grant: async (_user, { dashboards, mode }) => dashboards.length > 1 || mode !== 'view' ? null : {}
  })
})

// @ts-expect-error dxFeed has filters, and DataBrain has params
widgetToken.identityGrant({ grant: () => ({ params: {} }) })
// @ts-expect-error the list contains strings
widgetToken.identityGrant({ grant: () => ({ filters: [5] }) })
// @ts-expect-error no such option
databrainProxy.identityGrant({ claim: 'sub' })
// @ts-expect-error the public URL of the route is required
guestToken.identityGrants({ tenant: 'org_id' })

app.register(widgetToken, {
  ...widget,
  authorize: ({ identityToken }: IdentifiedRequest<OrgClaims>) =>
    identityToken && { user: identityToken.sub, tenant: identityToken.claims.org_id }
})

app.ready(async () => {
  const typed = await app.identityToken.verify<OrgClaims>('…')
  assertType<Equal<typeof typed, IdentityToken<OrgClaims> | null>>()
  const untyped: unknown = (await app.identityToken.verify('…'))?.claims['org_id']
  console.log(typed?.issuedAt satisfies number | undefined, untyped)
})
