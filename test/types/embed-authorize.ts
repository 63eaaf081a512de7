// Compiled by `npm run typecheck`, never run: the `authorize` examples of docs/ in strict TypeScript.
import Fastify from 'fastify'
import type { FastifyRequest } from 'fastify'

import { embedAuthorize, FORBIDDEN, widgetToken } from '../../index.js'
import type { AuthorizeEmbed, AuthorizeWidget } from '../../index.js'
import { embedFilter } from '../../signing/index.js'

interface User {
  email: string
  company: string
  dashboards: string[]
  regions: string[]
  isDesigner: boolean
  sessionStartedAt: number
}
interface Session {
  userId: string
  filters?: string[]
  tenantId: string
  startedAt: number
}

declare function signedInUser (request: FastifyRequest): Promise<User | null>
declare function sessionOf (request: FastifyRequest): Promise<Session | null>
declare const secrets: { get(name: string): Promise<string> }

const app = Fastify()

app.register(embedAuthorize, {
  servers: [{ apiUrl: 'https://bi.example.com/bi/api/site/site1', embedSecret: () => secrets.get('boldbi') }],
  cors: { origins: ['https://app.example.com'] },
  modes: ['view', 'design'],
  async authorize (request, { dashboards, mode }) {
    const user = await signedInUser(request)
    if (user === null) return null
    if (dashboards.length === 0 || !dashboards.every((id) => user.dashboards.includes(id))) {
      throw new FORBIDDEN({ message: 'This dashboard is not yours' })
    }
    if (mode === 'design' && !user.isDesigner) throw new FORBIDDEN()
    return {
      email: user.email,
      tenant: user.company,
      issuedAt: user.sessionStartedAt,
      datasourceFilter: { fields: { Region: user.regions, Amount: embedFilter.lessThan(10_000) } }
    }
  }
})

app.register(widgetToken, {
  secret: () => secrets.get('dxfeed'),
  issuer: 'acme',
  session: 'web',
  cors: { origins: ['https://app.example.com'] },
  authorize: async (request) => {
    const session = await sessionOf(request)
    return session &&
      { user: session.userId, filters: session.filters, tenant: session.tenantId, issuedAt: session.startedAt }
  }
})
app.register(widgetToken, {
  secret: '…',
  issuer: 'i',
  session: 's',
  user: 'dx-user-7',
  authorize: ({ userReference }) => userReference?.sub
})
// @ts-expect-error the function is named authorize
app.register(widgetToken, { secret: '…', issuer: 'i', session: 's', resolveUser: () => 'ann' })

export const decisions: [AuthorizeEmbed, AuthorizeWidget] = [() => ({ email: 'a@b.c' }), () => 'ann']
