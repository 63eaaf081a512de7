// Creates load with wrk, which uses less processor time than a load generator in JavaScript.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { shootWithAutocannon } from './autocannon.js'
import type { Round } from './rounds.js'

const run = promisify(execFile)
const UNITS: Record<string, number> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 }

export interface SignedBody {
  body: string
  signature: string
}

export interface Shot {
  url: string
  connections: number
  seconds: number
  headers: Record<string, string>
  /**
   * The body of all requests, or a sufficient list of bodies with signatures, which may be empty. Default: no body, so
   * GET requests.
   */
  body?: string | Iterable<SignedBody> | undefined
  /** Lua that creates the POST requests instead of `body`: the function `request`, and optionally `response`. */
  lua?: string | undefined
}

/**
 * Sends POST requests, or GET requests without a body, for some seconds, sequentially over each connection. Without wrk
 * on this machine, autocannon sends them; it cannot run Lua.
 */
export async function shoot (shot: Shot): Promise<Required<Round>> {
  const { url, connections, seconds, headers, body, lua } = shot
  const folder = await mkdtemp(join(tmpdir(), 'wrk-'))
  const script = join(folder, 'requests.lua')
  const bodies = join(folder, 'bodies')
  try {
    if (body !== undefined) await writeFile(bodies, typeof body === 'string' ? body : linesOf(body))
    await writeFile(
      script,
      Object.entries(headers).map(([name, value]) => `wrk.headers["${name}"] = "${value}"\n`).join('') +
        (body === undefined && lua === undefined ? '' : 'wrk.method = "POST"\n') +
        (body === undefined ? '' : `local bodies = io.open("${bodies}")\n`) +
        (typeof body === 'string' ? 'wrk.body = bodies:read("*a")\n' : '') +
        (typeof body === 'object' ? DISTINCT_BODIES : '') +
        (lua ?? '')
    )
    const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency',
      '-s', script, url])
    return parse(stdout)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return await shootWithAutocannon(shot)
    throw error
  } finally {
    await rm(folder, { recursive: true })
  }
}

function * linesOf (bodies: Iterable<SignedBody>): Generator<string> {
  for (const { body, signature } of bodies) yield `${signature}\n${body}\n`
}

const DISTINCT_BODIES = `
function request()
  local signature, body = bodies:read("*l"), bodies:read("*l")
  if body == nil then error("no bodies are left") end
  if signature ~= "" then wrk.headers["x-datafly-signature"] = signature end
  return wrk.format(nil, nil, nil, body)
end
`

function parse (report: string): Required<Round> {
  const number = (pattern: RegExp) => Number(pattern.exec(report)?.[1] ?? 0)
  const time = (percentile: number) => {
    const [, value, unit = ''] = new RegExp(`${percentile}% +([\\d.]+)(us|ms|s|m)`).exec(report) ?? []
    return Math.round(Number(value) * (UNITS[unit] ?? NaN) * 10) / 10
  }
  const broken =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(report)?.slice(1).map(Number) ?? []
  return {
    rate: number(/Requests\/sec: +([\d.]+)/),
    requests: number(/(\d+) requests in /),
    p50: time(50),
    p99: time(99),
    failed: number(/Non-2xx or 3xx responses: (\d+)/) + broken.reduce((sum, count) => sum + count, 0)
  }
}
