import type { Config } from './config/index.js'
import type { FirstStart } from './first-start.js'

export interface BannerInput {
  origin: string
  config: Pick<Config, 'admin' | 'docs' | 'production'>
  first: FirstStart | null
}

/** What the start prints: always where to look; at the first start also what was made, and lines to paste. Nothing of the environment is in it. */
export function banner ({ origin, config, first }: BannerInput): string {
  const look = [
    ...(config.production ? [] : [`  Start page  ${origin}/`]),
    ...(config.docs ? [`  API docs    ${origin}/docs`] : []),
    `  Health      ${origin}/readyz`
  ]
  const lines = ['', `fastify-gatehouse listens on ${origin}`, '', ...look]
  if (first !== null) lines.push(...made(first, config), ...toPaste(first, config, origin))
  return [...lines, ''].join('\n')
}

function made ({ email, generatedPassword, pipelineKey }: FirstStart, { admin }: BannerInput['config']): string[] {
  return [
    '',
    'Made at this first start, and shown only now:',
    '',
    `  Administrator  ${admin.emailGiven ? 'the one of ADMIN_EMAIL' : email}`,
    `  Password       ${generatedPassword ?? 'the one of ADMIN_PASSWORD'}`,
    ...(pipelineKey === null ? [] : [`  Pipeline key   ${pipelineKey}`])
  ]
}

function toPaste ({ email, generatedPassword, pipelineKey }: FirstStart, { admin }: BannerInput['config'], origin: string): string[] {
  const json = '-H "Content-Type: application/json"'
  // What came from the environment is named, not shown; the shell that started the server may have it.
  const name = admin.emailGiven ? '$ADMIN_EMAIL' : email
  const password = generatedPassword ?? '$ADMIN_PASSWORD'
  const login = `{\\"email\\":\\"${name}\\",\\"password\\":\\"${password}\\"}`
  return [
    '',
    'Send an event, log in, look at what was stored:',
    '',
    ...(pipelineKey === null
      ? []
      : [`  curl -sS ${origin}/v1/t -H "Authorization: Bearer ${pipelineKey}" ${json} -d '{"event":"Hello","userId":"user-1"}'; echo`]),
    `  TOKEN=$(curl -sS ${origin}/v1/admin/auth/login ${json} -d "${login}" | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    `  curl -sS "${origin}/v1/admin/events?limit=5" -H "Authorization: Bearer $TOKEN"; echo`
  ]
}
