import { isUtf8 } from 'node:buffer'

import { KNOWN_SECRET_DIGESTS } from './known-secret-digests.js'
import { DIGEST_LENGTH, foldSecret, secretDigest } from './secret-digest.js'

/** Secrets printed in documentation and tutorials that the list behind `KNOWN_SECRET_DIGESTS` lacks. */
const SAMPLES = new Set([
  'averylogphrasebiggerthanthirtytwochars',
  'cc7e0d44fd473002f1c42167459001140ec6389b7353f8088f4d9a95f2f596f2',
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
  '3cfa76ef14937c1c0ea519f8fc057a80fcd04a7420f8e8bcd0a7567c272e007b',
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  '9SqgSHlGwo4rrLJoiwsPBcRhXNzRXxHmHfk2FrQXcdk',
  'bXktdWx0cmEtc2VjdXJlLWFuZC11bHRyYS1sb25nLXNlY3JldA',
  'correct-horse-battery-staple-correct-horse-battery-staple',
  'the-quick-brown-fox-jumps-over-the-lazy-dog',
  'some-long-secret-used-to-create-session-hmac',
  'abcdefghijklmnopqrstuvwxyz0123456789',
  'abcdefghijklmnopqrstuvwxyz1234567890',
  'qwertyuiopasdfghjklzxcvbnm1234567890',
  'qwertyuiopasdfghjklzxcvbnm123456'
].map(foldSecret))

/** Phrases that occur only in placeholders. */
const PLACEHOLDERS = [
  'changeme',
  'changethis',
  'changeit',
  'replaceme',
  'replacethis',
  'replacewith',
  'insertyour',
  'putyour',
  'enteryour',
  'useyour',
  'yoursecret',
  'yoursuper',
  'yourvery',
  'yourlong',
  'yourstrong',
  'yourown',
  'yourjwt',
  'yourkey',
  'yourtoken',
  'yourprivatekey',
  'yourrandom',
  'your128bit',
  'your256bit',
  'your384bit',
  'your512bit',
  'your32char',
  'keyboardcat',
  'djangoinsecure'
]

/** The vocabulary of samples such as `my-super-secret-jwt-key-that-is-at-least-32-characters-long`. */
const WORDS = [
  'a',
  'access',
  'admin',
  'an',
  'and',
  'api',
  'app',
  'application',
  'at',
  'auth',
  'authentication',
  'backend',
  'be',
  'bit',
  'bits',
  'byte',
  'bytes',
  'char',
  'character',
  'characters',
  'chars',
  'code',
  'cookie',
  'default',
  'dev',
  'development',
  'do',
  'dont',
  'encryption',
  'enough',
  'example',
  'express',
  'for',
  'foo',
  'bar',
  'baz',
  'generate',
  'generated',
  'good',
  'hash',
  'hello',
  'here',
  'hmac',
  'hs256',
  'hs384',
  'hs512',
  'in',
  'is',
  'it',
  'json',
  'jwt',
  'keep',
  'key',
  'least',
  'length',
  'local',
  'long',
  'longer',
  'minimum',
  'more',
  'must',
  'my',
  'need',
  'needs',
  'never',
  'node',
  'of',
  'or',
  'our',
  'pass',
  'passphrase',
  'password',
  'phrase',
  'please',
  'private',
  'prod',
  'production',
  'project',
  'random',
  'really',
  'refresh',
  'requires',
  'safe',
  'salt',
  'sample',
  'secret',
  'secrets',
  'secure',
  'security',
  'server',
  'session',
  'sha256',
  'shared',
  'should',
  'sign',
  'signature',
  'signing',
  'some',
  'spring',
  'boot',
  'string',
  'strong',
  'super',
  'test',
  'testing',
  'than',
  'that',
  'the',
  'this',
  'to',
  'token',
  'tokens',
  'top',
  'ultra',
  'unsafe',
  'use',
  'used',
  'user',
  'valid',
  'value',
  'very',
  'web',
  'which',
  'with',
  'world',
  'your',
  '32',
  '64',
  '128',
  '256',
  '384',
  '512',
  '123',
  '1234',
  '12345',
  '123456'
]
const VOCABULARY = new RegExp(WORDS.sort((a, b) => b.length - a.length).join('|'), 'g')

/** A string is guessable if fewer characters than this remain after the words of the vocabulary are removed. */
const MAX_REMAINDER = 8

/** A typed secret that was decoded from hex or base64; 16 random bytes are hardly ever all printable. */
const TYPED = /^[^\p{C}]{16,}$/u
const HEX = /^(?:[0-9a-f]{2})+$/i
const BASE64 = /^[0-9a-z+/_-]+={0,2}$/i

let listedDigests: ReadonlySet<string> | null = null

/**
 * Returns whether a secret is a public sample, a placeholder or composed only of words of the vocabulary, whatever its
 * case, spaces and punctuation. Also returns true for the hex or base64 encoding of such a secret.
 */
export function isKnownSecret (secret: string): boolean {
  return isKnownString(secret) || decodedStrings(secret).some(isKnownString)
}

function isListedSecret (secret: string): boolean {
  const folded = foldSecret(secret)
  listedDigests ??= new Set(KNOWN_SECRET_DIGESTS.match(new RegExp(`.{${DIGEST_LENGTH}}`, 'g')))
  return SAMPLES.has(folded) || listedDigests.has(secretDigest(folded))
}

/** Returns whether hex or base64 is itself in the public lists or encodes a secret that `isKnownSecret` knows. */
export function isKnownEncoding (encoded: string): boolean {
  return isListedSecret(encoded) || decodedStrings(encoded).some(isKnownString)
}

function isKnownString (secret: string): boolean {
  const folded = foldSecret(secret)
  return isListedSecret(secret) || PLACEHOLDERS.some((words) => folded.includes(words)) ||
    folded.replace(VOCABULARY, '').length < MAX_REMAINDER
}

/** Returns the strings that a secret is the hex or base64 encoding of. */
function decodedStrings (secret: string): string[] {
  const decoded: Buffer[] = []
  if (HEX.test(secret)) decoded.push(Buffer.from(secret, 'hex'))
  if (BASE64.test(secret)) decoded.push(Buffer.from(secret, 'base64'))
  return decoded.filter((bytes) => isUtf8(bytes)).map(String).filter((folded) => TYPED.test(folded))
}
