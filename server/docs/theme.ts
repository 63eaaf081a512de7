import { existsSync, readFileSync } from 'node:fs'

import type { FastifySwaggerUiOptions } from '@fastify/swagger-ui'

import { packageFile } from '../../lib/package-file.js'
import type { Places } from '../guide.js'

const BUILT = packageFile('web/guide/built/')
const TITLE = 'API · Gatehouse'

/** The bar and the colours of the guide for Swagger UI, which `npm run build` writes with the guide. */
export function themeOf ({ start, console }: Places): NonNullable<FastifySwaggerUiOptions['theme']> {
  if (!existsSync(BUILT)) return { title: TITLE }
  const read = (file: string) => readFileSync(new URL(file, BUILT), 'utf8')
  const places = [
    ...start ? [['', 'Start', false]] : [],
    ...console ? [['console/', 'Console', false]] : [],
    ['guide/', 'Guide', false],
    ['docs', 'API', true]
  ]
  return {
    title: TITLE,
    css: [{ filename: 'gatehouse.css', content: read('api.css') }],
    js: [{ filename: 'gatehouse.js', content: read('api.js').replace('"__PLACES__"', JSON.stringify(places)) }]
  }
}
