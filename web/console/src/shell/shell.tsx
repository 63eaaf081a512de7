import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

import { Route, Router, useLocation } from 'preact-iso'

import { may } from '../api/session.ts'
import type { Me } from '../api/session.ts'
import { HOME } from '../api/transport.ts'
import { GROUPS, PAGES } from '../pages/index.ts'
import { Button, ButtonLink, IconButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Page } from '../ui/layout.tsx'
import { Empty } from '../ui/states.tsx'
import { OrganisationMenu } from './organisation-menu.tsx'
import { Palette } from './palette.tsx'
import { at } from './paths.ts'
import { Prompts } from './prompts.tsx'
import { UserMenu } from './user-menu.tsx'

/** The frame of all pages of a signed-in user. */
export function Shell ({ user }: { user: Me }) {
  const [palette, setPalette] = useState(false)
  const [drawer, setDrawer] = useState(false)
  const { path } = useLocation()

  useEffect(() => setDrawer(false), [path])
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return
      event.preventDefault()
      setPalette((open) => !open)
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [])

  return (
    <div class='shell' data-drawer={drawer || undefined}>
      <a class='skip' href='#main' onClick={skip}>Skip to the content</a>
      <header class='topbar'>
        <IconButton
          icon='menu' label={drawer ? 'Close the navigation' : 'Open the navigation'} aria-expanded={drawer}
          onClick={() => setDrawer(!drawer)}
        />
        <OrganisationMenu user={user} />
        <span class='spring' />
        <Button kind='secondary' icon='search' aria-keyshortcuts='Control+K Meta+K' onClick={() => setPalette(true)}>
          Search <kbd>{/Mac/.test(navigator.userAgent) ? '⌘' : 'Ctrl'} K</kbd>
        </Button>
        <UserMenu user={user} />
      </header>
      <Navigation />
      <main id='main' tabIndex={-1}><Pages /></main>
      {palette ? <Palette onClose={() => setPalette(false)} /> : null}
      <Prompts user={user} />
    </div>
  )
}

/** The base of the document would lead the link elsewhere. */
function skip (event: Event) {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Navigation () {
  const { path } = useLocation()
  const shown = PAGES.filter(({ role }) => may(role))
  // The path of the first page has a slash at the end, which the router leaves out.
  const isCurrent = (page: string) =>
    page === '' ? `${path}/` === HOME : path === at(page) || path.startsWith(`${at(page)}/`)
  return (
    <nav class='sidebar' aria-label='Main'>
      <a class='brand' href={at('')}><Icon name='gate' size={20} /><span>{PRODUCT}</span></a>
      {GROUPS.map((group) => {
        const pages = shown.filter((page) => page.group === group)
        return pages.length === 0
          ? null
          : (
            <NavigationGroup key={group} title={group}>
              {pages.map(({ path: page, title, icon = 'list' }) => (
                <li key={page}>
                  <a href={at(page)} aria-current={isCurrent(page) ? 'page' : undefined}><Icon name={icon} />{title}</a>
                </li>
              ))}
            </NavigationGroup>
            )
      })}
    </nav>
  )
}

const PRODUCT = document.title

function NavigationGroup ({ title, children }: { title: string, children: ComponentChildren }) {
  return <div class='nav-group'><h2>{title}</h2><ul>{children}</ul></div>
}

function Pages () {
  const { route } = useLocation()
  const first = useRef(true)
  /** A new page starts at its title, also for screen readers. */
  function focusTitle () {
    if (!first.current) document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
    first.current = false
  }
  return (
    <Router onRouteChange={focusTitle} onLoadEnd={focusTitle}>
      {PAGES.map(({ path, role, component }) => (
        <Route key={path} path={HOME + path} component={may(role) ? component : Forbidden} />
      ))}
      <Route path={at('')} component={() => <Home route={route} />} />
      <Route default component={NotFound} />
    </Router>
  )
}

function Home ({ route }: { route: (url: string, replace?: boolean) => void }) {
  useEffect(() => route(at(PAGES[0]?.path ?? 'profile'), true), [])
  return <div />
}

function NotFound () {
  return (
    <Page title='Page not found'>
      <Empty title='There is no such page' action={<ButtonLink href={at('')}>To the start</ButtonLink>}>
        The address is wrong, or the page has moved.
      </Empty>
    </Page>
  )
}

function Forbidden () {
  return (
    <Page title='No access'>
      <Empty icon='lock' title='Your role does not include this page'>Ask an owner or admin of your organisation.</Empty>
    </Page>
  )
}
