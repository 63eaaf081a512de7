import { signOut } from '../api/session.ts'
import type { Me } from '../api/session.ts'
import { useStore } from '../api/store.ts'
import { Icon } from '../ui/icon.tsx'
import { Menu } from '../ui/menu.tsx'
import { toast } from '../ui/toast.tsx'
import { GUIDE } from './guide.tsx'
import { at } from './paths.ts'
import { chooseTheme, theme } from './theme.ts'
import type { Theme } from './theme.ts'

const THEMES: ReadonlyArray<readonly [Theme, string]> = [
  ['system', 'Theme of the system'], ['light', 'Light theme'], ['dark', 'Dark theme']
]

export function UserMenu ({ user }: { user: Me }) {
  const current = useStore(theme)
  return (
    <Menu
      label={`Account of ${user.email}`} align='end'
      items={[
        { label: <span class='stacked'>{user.email}<small class='soft'>{user.role}</small></span>, href: at('profile') },
        ...THEMES.map(([value, label]) => ({ label, checked: value === current, run: () => chooseTheme(value) })),
        ...GUIDE === null ? [] : [{ label: 'Guide', run: () => document.location.assign(`${GUIDE}/`) }],
        { label: 'Sign out', run: () => { leave().catch((error: Error) => toast(error.message)) } }
      ]}
    >
      <span class='avatar' aria-hidden='true'>{user.email.charAt(0).toUpperCase()}</span><Icon name='chevron' />
    </Menu>
  )
}

async function leave () {
  const url = await signOut()
  if (url !== null) document.location.assign(url)
}
