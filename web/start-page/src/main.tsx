import '../../console/src/styles/tokens.css'
import '../../console/src/styles/base.css'
import '../../console/src/styles/controls.css'
import '../../console/src/styles/content.css'
import './start.css'

import { render } from 'preact'

import { applyTheme } from '../../console/src/shell/theme.ts'
import { Start } from './start.tsx'

applyTheme()
const root = document.getElementById('app')
if (root !== null) render(<Start />, root)
