import { createStore } from '../api/store.ts'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'gatehouse theme'

export const theme = createStore<Theme>(stored())

export function applyTheme (): void {
  const update = () => {
    document.documentElement.dataset['theme'] = theme.get()
  }
  theme.subscribe(update)
  update()
}

/** Remembers the choice in this browser. */
export function chooseTheme (choice: Theme): void {
  theme.set(choice)
  try {
    localStorage.setItem(KEY, choice)
  } catch {
    // The browser keeps nothing: the choice applies until the page is closed.
  }
}

function stored (): Theme {
  try {
    const choice = localStorage.getItem(KEY)
    return choice === 'light' || choice === 'dark' ? choice : 'system'
  } catch {
    return 'system'
  }
}
