import type { Config } from './config/index.js'
import type { FirstStart } from './first-start.js'
import { adminPages } from './sso-paths.js'

export interface BannerInput {
  origin: string
  config: Pick<Config, 'admin' | 'console' | 'docs' | 'production' | 'sso'>
  first: FirstStart | null
  /** The link with which the first administrator chooses a password; `null`: none. Default: none. */
  setUp?: string | null
}

/**
 * Returns the lines that the server prints at start: its URLs and, at the first start, the created credentials and
 * commands to copy. Contains no value of the environment.
 */
export function banner ({ origin, config, first, setUp = null }: BannerInput): string {
  const look = [
    ...(config.production ? [] : [`  Start page  ${origin}/`]),
    ...(config.console ? [`  Console     ${origin}/console`] : []),
    ...(config.console || config.sso === null ? [] : [`  Sign-in     ${origin}${adminPages(config).signIn}`]),
    ...(config.docs ? [`  Guide       ${origin}/guide`, `  API docs    ${origin}/docs`] : []),
    `  Health      ${origin}/readyz`
  ]
  const lines = ['', `fastify-gatehouse listens on ${origin}`, '', ...look]
  if (first !== null) {
    lines.push(...createdLines(first, config), ...setUpLines(setUp), ...toPaste(first, config, origin))
  }
  return [...lines, ''].join('\n')
}

function createdLines ({ email, generatedPassword, pipelineKey }: FirstStart, { admin }: BannerInput['config']): string[] {
  return [
    '',
    'Created at this first start, shown only once:',
    '',
    `  Administrator  ${admin.isEmailSet ? 'the value of ADMIN_EMAIL' : email}`,
    `  Password       ${generatedPassword ?? 'the value of ADMIN_PASSWORD'}`,
    ...(pipelineKey === null ? [] : [`  Pipeline key   ${pipelineKey}`])
  ]
}

function setUpLines (link: string | null): string[] {
  return link === null
    ? []
    : ['', 'To choose a password of your own, open this link within 30 minutes; it works once:', '', `  ${link}`]
}

function toPaste (
  { email, generatedPassword, pipelineKey }: FirstStart,
  { admin }: BannerInput['config'],
  origin: string
): string[] {
  const json = '-H "Content-Type: application/json"'
  // The commands name variables of the environment instead of printing their values.
  const name = admin.isEmailSet ? '$ADMIN_EMAIL' : email
  const password = generatedPassword ?? '$ADMIN_PASSWORD'
  const login = `{\\"email\\":\\"${name}\\",\\"password\\":\\"${password}\\"}`
  return [
    '',
    'To send an event, log in and list the stored events, run:',
    '',
    ...(pipelineKey === null
      ? []
      : [
        `  curl -sS ${origin}/v1/t -H "Authorization: Bearer ${pipelineKey}" ${json} -d '{"event":"Hello","userId":"user-1"}'; echo`
        ]),
    `  TOKEN=$(curl -sS ${origin}/v1/admin/auth/login ${json} -d "${login}" | sed ` +
    '\'s/.*"access_token":"\\([^"]*\\)".*/\\1/\')',
    `  curl -sS "${origin}/v1/admin/events?limit=5" -H "Authorization: Bearer $TOKEN"; echo`
  ]
}
