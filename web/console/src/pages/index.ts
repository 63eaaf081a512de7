import type { ComponentType } from 'preact'

import { lazy } from 'preact-iso'

import { has } from '../api/features.ts'
import type { Feature } from '../api/features.ts'
import { may } from '../api/session.ts'
import type { Role } from '../api/session.ts'
import type { IconName } from '../ui/icon.tsx'

/** The groups of the navigation, in their order. */
export const GROUPS = ['Collect', 'Embed', 'Manage', 'You'] as const

export interface PageEntry {
  /** Below the console; `:name` is a parameter that the component gets as `params`. */
  path: string
  /** The name in the navigation and the command palette; without `group` it is in neither. */
  title: string
  group?: typeof GROUPS[number]
  icon?: IconName
  /** The lowest role that sees the page. */
  role: Role
  /** The part of the admin API that it needs. Default: none. */
  needs?: Feature
  /** What the command palette offers beside the page. */
  commands?: ReadonlyArray<{ title: string, role: Role, search: Readonly<Record<string, string>> }>
  /** Loaded when the page is opened first. */
  component: ComponentType
}

type Module = { default: ComponentType }
const load = (module: () => Promise<Module>) => lazy(module) as ComponentType

/** All pages of a signed-in user. A new page is a line here and a file; see README.md. */
export const PAGES: readonly PageEntry[] = ([
  {
    path: '',
    title: 'Overview',
    group: 'Collect',
    icon: 'home',
    role: 'viewer',
    needs: 'sources',
    component: load(() => import('./overview/index.tsx'))
  },
  {
    path: 'sources',
    title: 'Sources',
    group: 'Collect',
    icon: 'source',
    role: 'viewer',
    needs: 'sources',
    component: load(() => import('./sources/list.tsx'))
  },
  {
    path: 'sources/new',
    title: 'New source',
    role: 'editor',
    needs: 'sources',
    component: load(() => import('./sources/new.tsx'))
  },
  {
    path: 'sources/:id',
    title: 'Source',
    role: 'viewer',
    needs: 'sources',
    component: load(() => import('./sources/source.tsx'))
  },
  {
    path: 'events',
    title: 'Events',
    group: 'Collect',
    icon: 'events',
    role: 'viewer',
    needs: 'sources',
    component: load(() => import('./events/index.tsx'))
  },
  {
    path: 'events/:id',
    title: 'Event',
    role: 'viewer',
    needs: 'sources',
    component: load(() => import('./events/event.tsx'))
  },
  {
    path: 'refused-events',
    title: 'Refused events',
    group: 'Collect',
    icon: 'refused',
    role: 'viewer',
    needs: 'sources',
    component: load(() => import('./refused-events/index.tsx'))
  },
  {
    path: 'refused-events/:id',
    title: 'Refused event',
    role: 'viewer',
    needs: 'sources',
    component: load(() => import('./refused-events/event.tsx'))
  },
  {
    path: 'embeds',
    title: 'Embeds',
    group: 'Embed',
    icon: 'embed',
    role: 'viewer',
    needs: 'sources',
    commands: [
      { title: 'Lock a user out of embeds now', role: 'admin', search: { revoke: 'user' } },
      { title: 'Revoke embeds', role: 'admin', search: { revoke: 'user' } }
    ],
    component: load(() => import('./embeds/index.tsx'))
  },
  {
    path: 'users',
    title: 'Users',
    group: 'Manage',
    icon: 'users',
    role: 'admin',
    needs: 'users',
    component: load(() => import('./users/index.tsx'))
  },
  {
    path: 'users/:id',
    title: 'User',
    role: 'admin',
    needs: 'users',
    component: load(() => import('./users/user.tsx'))
  },
  {
    path: 'api-keys',
    title: 'API keys',
    group: 'Manage',
    icon: 'key',
    role: 'admin',
    needs: 'keys',
    component: load(() => import('./api-keys/index.tsx'))
  },
  {
    path: 'audit-log',
    title: 'Audit log',
    group: 'Manage',
    icon: 'audit',
    role: 'admin',
    needs: 'sources',
    component: load(() => import('./audit-log/index.tsx'))
  },
  {
    path: 'sso',
    title: 'Single sign-on',
    group: 'Manage',
    icon: 'login',
    role: 'admin',
    needs: 'sso',
    component: load(() => import('./sso/index.tsx'))
  },
  {
    path: 'sso/:id',
    title: 'Identity provider',
    role: 'admin',
    needs: 'sso',
    component: load(() => import('./sso/provider.tsx'))
  },
  {
    path: 'scim',
    title: 'User provisioning',
    group: 'Manage',
    icon: 'sync',
    role: 'admin',
    needs: 'scim',
    component: load(() => import('./scim/index.tsx'))
  },
  {
    path: 'organisation',
    title: 'Organisation',
    group: 'Manage',
    icon: 'building',
    role: 'viewer',
    needs: 'mfa',
    component: load(() => import('./organisation/index.tsx'))
  },
  {
    path: 'profile',
    title: 'Profile',
    group: 'You',
    icon: 'user',
    role: 'viewer',
    component: load(() => import('./profile/index.tsx'))
  }
] satisfies PageEntry[] as PageEntry[]).filter(({ needs }) => needs === undefined || has(needs))

/** Returns whether the console has a page and the role of the user may see it: only then is there a link to it. */
export function canOpen (page: string): boolean {
  return PAGES.some(({ path, role }) => path === page && may(role))
}
