const HAS_ATTRIBUTION = /[?&](?:utm_|gclid=|fbclid=|ttclid=|epik=|ScCid=|li_fat_id=)/
const CLICK_IDS = ['gclid', 'fbclid', 'ttclid', 'epik', 'ScCid', 'li_fat_id']
const UTM = /^utm_([a-z][a-z0-9_]{0,31})$/
const MAX_VALUE = 512
const MAX_CAMPAIGN = 16

export interface Attribution {
  /** `utm_campaign` as `name`, the other `utm_*` parameters without their prefix; `null` if the URL has none. */
  campaign: Record<string, string> | null
  /** The click ids of advertising networks by parameter name; `null` if the URL has none. */
  clickIds: Record<string, string> | null
}

/** Returns `page.url` of a context. */
export function pageUrl (context: Record<string, unknown> | undefined): unknown {
  const page = context?.['page']
  return typeof page === 'object' && page !== null ? (page as Record<string, unknown>)['url'] : undefined
}

/**
 * Returns the campaign and click ids in the query of a page's URL; `null` without them. The first of equal names
 * counts.
 */
export function attributionOf (url: unknown): Attribution | null {
  if (typeof url !== 'string' || !HAS_ATTRIBUTION.test(url)) return null
  const [beforeHash = ''] = url.split('#', 1)
  const mark = beforeHash.indexOf('?')
  if (mark === -1) return null
  const query = new URLSearchParams(beforeHash.slice(mark + 1))
  const campaign = new Map<string, string>()
  for (const [name, value] of query) {
    const term = UTM.exec(name)?.[1]
    if (term === undefined || value === '' || campaign.size === MAX_CAMPAIGN) continue
    const key = term === 'campaign' ? 'name' : term
    if (!campaign.has(key)) campaign.set(key, value.slice(0, MAX_VALUE))
  }
  const clickIds = CLICK_IDS.flatMap((name): Array<[string, string]> => {
    const value = query.get(name)
    return value === null || value === '' ? [] : [[name, value.slice(0, MAX_VALUE)]]
  })
  if (campaign.size === 0 && clickIds.length === 0) return null
  return {
    campaign: campaign.size === 0 ? null : Object.fromEntries(campaign),
    clickIds: clickIds.length === 0 ? null : Object.fromEntries(clickIds)
  }
}
