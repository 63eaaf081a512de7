// What tsc does not copy: the files that the built-in server serves as they are.
import { cpSync, existsSync, rmSync } from 'node:fs'

const from = new URL('../demo/assets/', import.meta.url)
const to = new URL('../dist/demo/assets/', import.meta.url)

rmSync(to, { recursive: true, force: true })
if (existsSync(from)) cpSync(from, to, { recursive: true })
