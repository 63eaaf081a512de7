/* global matchMedia */
// The console remembers the theme in the same place.
const KEY = 'gatehouse theme'
const THEMES = ['system', 'light', 'dark']
const root = document.documentElement
const dark = matchMedia('(prefers-color-scheme: dark)')

let theme = stored()

/** Shows the theme that the reader chose, or that of the system. */
export function showTheme () {
  root.dataset.theme = theme
  // Swagger UI has its colours by this class.
  root.classList.toggle('dark-mode', theme === 'dark' || (theme === 'system' && dark.matches))
}

/** Makes a button change the theme. */
export function startTheme (button) {
  const show = () => {
    showTheme()
    button.textContent = { system: 'Auto', light: 'Light', dark: 'Dark' }[theme]
    button.setAttribute('aria-label', `${button.textContent}: change the theme`)
  }
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]
    try {
      localStorage.setItem(KEY, theme)
    } catch {
      // The browser keeps nothing: the choice applies until the page is closed.
    }
    show()
  })
  dark.addEventListener('change', showTheme)
  show()
}

function stored () {
  try {
    const choice = localStorage.getItem(KEY)
    return THEMES.includes(choice) ? choice : 'system'
  } catch {
    return 'system'
  }
}
