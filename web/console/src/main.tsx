import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/content.css'
import './styles/charts.css'
import './styles/events.css'
import './styles/audit.css'
import './styles/sources.css'
import './styles/access.css'
import './styles/shell.css'

import { render } from 'preact'

import { App } from './app.tsx'
import { applyTheme } from './shell/theme.ts'

applyTheme()
const root = document.getElementById('app')
if (root !== null) render(<App />, root)
