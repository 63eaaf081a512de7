import { showBoldBi, showDataBrain } from './embeds.ts'
import type { Stage } from './embeds.ts'
import { showDxFeed } from './widget.ts'

/** An attack that a switch performs. */
export interface Attack {
  name: string
  title: string
  /** What the attacker does, in a sentence. */
  does: string
}

export interface Product {
  name: 'databrain' | 'boldbi' | 'dxfeed'
  title: string
  route: string
  /** How the embed works, in two sentences. */
  works: string
  attacks: readonly Attack[]
  show (stage: Stage): Promise<void>
}

export const PRODUCTS: readonly Product[] = [
  {
    name: 'databrain',
    title: 'DataBrain dashboard',
    route: 'GET /api/databrain/guest-token',
    works: 'DataBrain’s server calls yours with the proxy key and the page’s signed user reference. Your server ' +
      'requests a guest token for that user alone.',
    attacks: [
      {
        name: 'wrong-key',
        title: 'Wrong proxy key',
        does: 'The page contains a proxy key that is not this server’s. DataBrain’s server sends it.'
      },
      {
        name: 'expired-reference',
        title: 'Expired token',
        does: 'The page contains a user reference that expired an hour ago.'
      }
    ],
    show: showDataBrain
  },
  {
    name: 'boldbi',
    title: 'Bold BI dashboard',
    route: 'POST /authorize',
    works: 'Your server checks the query of the SDK, adds the user, signs it with the embed secret and asks Bold BI. ' +
      'The page receives a URL that works once.',
    attacks: [
      {
        name: 'tampered',
        title: 'Tampered query',
        does: 'The page adds embed_user_email=ceo@example.com to the query, to see the rows of another user.'
      },
      {
        name: 'replay',
        title: 'Replayed nonce',
        does: 'The page sends a captured query with the same embed_nonce a second time.'
      }
    ],
    show: showBoldBi
  },
  {
    name: 'dxfeed',
    title: 'dxFeed live chart',
    route: 'GET /api/generate-token',
    works: 'The page receives a signed widget token with the user id, valid for some minutes. The feed checks it ' +
      'before the first quote.',
    attacks: [
      {
        name: 'foreign-origin',
        title: 'Foreign origin',
        does: 'A page of https://shop.evil.example requests a token with the cookie of this visitor.'
      },
      {
        name: 'expired-token',
        title: 'Expired token',
        does: 'The feed receives a correctly signed token that expired ten minutes ago.'
      }
    ],
    show: showDxFeed
  }
]
