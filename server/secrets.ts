import type { Config, SecretName } from './config/index.js'
import { generatedSecret } from './config/generated-secrets.js'

/** Each `[current, …previous]`. */
export type Secrets = Record<SecretName, readonly [string, ...string[]]>

/** Returns the secrets of the environment, and generates the missing ones. */
export async function openSecrets ({ secrets, dataDir }: Pick<Config, 'secrets' | 'dataDir'>): Promise<Secrets> {
  async function open (name: SecretName): Promise<Secrets[SecretName]> {
    const [current, ...previous] = secrets[name] ?? []
    return current === undefined ? [await generatedSecret(dataDir, name)] : [current, ...previous]
  }

  return {
    JWT_SECRET: await open('JWT_SECRET'),
    SECRETS_KEY: await open('SECRETS_KEY'),
    USER_REFERENCE_KEY: await open('USER_REFERENCE_KEY'),
    DATABRAIN_PROXY_KEY: await open('DATABRAIN_PROXY_KEY')
  }
}
