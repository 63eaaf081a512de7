import { hostname } from 'node:os'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { loggedAddress } from '../lib/http/client-address.js'
import { maskUrl } from '../lib/http/masked-request-log.js'
import { refusalCode } from '../lib/refusal-log/index.js'

const PROCESS = `,"pid":${process.pid},"hostname":${JSON.stringify(hostname())},"reqId":`
const END = ',"msg":"request completed"}\n'

/** The templates of routes, as JSON. */
const routes = new Map<string, string>()

/**
 * Returns the line that pino writes at `info` for a completed request. Half of pino's time for a general object is not
 * needed for this one (figures in bench/README.md).
 */
export function requestLine (request: FastifyRequest, reply: FastifyReply, route: string | undefined): string {
  const { id, method, url } = request
  const code = refusalCode(reply)
  const address = loggedAddress(request)
  return `{"level":30,"time":${Date.now()}${PROCESS}${JSON.stringify(id)},"req":{"method":"${method}","url":` +
    JSON.stringify(maskUrl(url)) + (route === undefined ? '' : `,"route":${routeJson(route)}`) +
    (address === '' ? '' : `,"remoteAddress":"${address}"`) +
    `},"res":{"statusCode":${reply.statusCode}},"responseTime":${millisecondsJson(reply.elapsedTime)}` +
    (code === undefined ? '' : `,"code":"${code}"`) + END
}

/** Returns the time until the response was sent, in milliseconds with three decimals. */
export function roundedTime ({ elapsedTime }: FastifyReply): number {
  return Math.round(elapsedTime * 1_000) / 1_000
}

/**
 * Returns a time in milliseconds as JSON, with three decimals. The runtime needs a quarter of the time of a line to
 * convert a number with a fraction, so only integers are converted.
 *
 * @example
 * millisecondsJson(12.04)  // '12.040'
 */
function millisecondsJson (milliseconds: number): string {
  const micros = Math.round(milliseconds * 1_000)
  return `${Math.trunc(micros / 1_000)}.${String(1_000 + micros % 1_000).slice(1)}`
}

function routeJson (route: string): string {
  let json = routes.get(route)
  if (json === undefined) routes.set(route, json = JSON.stringify(route))
  return json
}
