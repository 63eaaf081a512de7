/** The parts of the admin API that a host may leave out. */
export type Feature = 'sources' | 'users' | 'keys' | 'mfa' | 'passkeys' | 'sso' | 'scim'

const features = new Set(
  document.querySelector<HTMLMetaElement>('meta[name=gatehouse-features]')?.content.split(' ')
)

/** Returns whether the server has a part of the admin API. */
export function has (feature: Feature): boolean {
  return features.has(feature)
}
