import { Icon } from '../../console/src/ui/icon.tsx'
import type { PageData } from './page.ts'

export function Header ({ page, choose }: { page: PageData, choose: (user: string) => void }) {
  const users = page.users.length > 0 ? page.users : [page.user ?? 'nobody']
  return (
    <header class='top'>
      <div class='title'>
        <h1><Icon name='gate' size={20} /> fastify-gatehouse</h1>
        <p>
          Each embed below loads through the routes of this server. Beside it are the requests that made it appear.
          Mock products stand for DataBrain, Bold BI and dxFeed, and check keys and signatures as the products do.
        </p>
      </div>
      <nav aria-label='Pages'>
        {page.links.console && <a href='/console'>Console</a>}
        {page.links.docs && <a href='/guide/'>Guide</a>}
        {page.links.docs && <a href='/docs'>API docs</a>}
        <a href='/readyz'>Status</a>
        <label>
          <span>Viewing as</span>
          <select
            id='user' disabled={page.users.length === 0} value={page.user ?? 'nobody'}
            onChange={({ currentTarget }) => choose(currentTarget.value)}
          >
            {users.map((user) => <option key={user}>{user}</option>)}
          </select>
        </label>
      </nav>
    </header>
  )
}
