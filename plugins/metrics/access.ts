import { timingSafeEqual } from 'node:crypto'

import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'

import { FORBIDDEN, UNAUTHORIZED } from '../../lib/errors.js'
import { bearerToken } from '../../lib/http/bearer-token.js'
import { isDirectLoopback } from '../../lib/http/direct-loopback.js'
import { refuse } from '../../lib/refuse.js'
import { checkStrength, RotatingSecret } from '../../lib/secrets/secret-source.js'
import type { SecretSource } from '../../lib/secrets/secret-source.js'
import { sha256 } from '../../signing/digest.js'

/** Limits the scope to callers with the token; without a token, to programs on this machine. */
export async function limitAccess (
  scope: FastifyInstance,
  token: SecretSource<string> | undefined,
  maxAge: number | undefined
): Promise<void> {
  if (token === undefined) {
    scope.addHook('onRequest', function checkLoopback (request, reply, done) {
      if (isDirectLoopback(request)) return done()
      refuse(reply, new FORBIDDEN({ reason: 'without a token, metrics are only for programs on this machine' }))
    })
    return
  }
  const name = 'metrics: "token"'
  const check = (value: string) => digestOf(name, value)
  const current = await RotatingSecret.open(token, { name, check, log: scope.log, maxAge })

  scope.addHook('onRequest', function checkToken (request, reply, done) {
    const digest = current.get()
    if (digest instanceof Promise) digest.then((digest) => decide(digest, request, reply, done), done)
    else decide(digest, request, reply, done)
  })
}

function digestOf (name: string, token: string): Buffer {
  checkStrength(name, token)
  return sha256(token)
}

function decide (digest: Buffer, request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const presented = bearerToken(request)
  if (presented !== null && timingSafeEqual(sha256(presented), digest)) done()
  else refuse(reply, new UNAUTHORIZED({ reason: 'the token for metrics is missing or wrong' }))
}
