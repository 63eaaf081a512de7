import type { RevocationKind } from '../../contracts/token-store/index.js'
import { systemClock } from '../clocks.js'
import type { ContractTest } from '../contract-test.js'
import {
  aDigest, aKey, anApiKey, aRevocation, aSession, aSource, aSourceKey, aUser, aWebhook
} from '../token-store/fixtures.js'
import { assertVisible } from './fixtures.js'
import type { CreateTwo, Two, WatchedChange } from './fixtures.js'

const clock = systemClock()

export async function changeContract (t: ContractTest, create: CreateTwo, within: number): Promise<void> {
  await t.test('changes of a source on one instance take effect on the other in time', async () => {
    const two = await create()
    await assertVisible(
      await Promise.all([deleted, disabled, withoutDomain, withoutOrigin, withNewKey, withNewSecret, withNamedKey,
        withKeyOff, withKeyDeleted].map((change) => change(two))),
      within
    )
  })

  await t.test('changes of a webhook on one instance take effect on the other in time', async () => {
    const two = await create()
    await assertVisible(
      await Promise.all([withWebhookOff, withWebhookDeleted, withNewWebhookSecret, withItsSourceOff].map((change) =>
        change(two)
      )),
      within
    )
  })

  await t.test('changes of a user or session on one instance take effect on the other in time', async () => {
    const two = await create()
    const changes = [
      await withSession(two, 'a session ends', null, ({ a, sessionId }) => a.sessions.end(sessionId)),
      await withSession(two, 'the user logs out everywhere', null, ({ a, userId }) => a.sessions.endAll(userId)),
      await withSession(
        two,
        'the user is disabled',
        null,
        ({ a, userId }) => a.members.update('org-a', userId, { disabled: true })
      ),
      await withSession(
        two,
        'the role changes',
        'viewer',
        ({ a, userId }) => a.members.update('org-a', userId, { role: 'viewer' })
      ),
      await withSession(
        two,
        'the password changes',
        null,
        ({ a, userId, passwordHash }) =>
          a.users.replacePassword(userId, { from: passwordHash, to: 'another', endSessionsBut: 'none of them' })
      ),
      await withSession(two, 'the password is reset by a link', null, async ({ a, userId }) => {
        await a.accountLinks.startReset({ userId, digest: `reset ${userId}`, expiresAt: clock.now() + 60_000 })
        await a.accountLinks.finishReset(`reset ${userId}`, 'another')
      }),
      await withSession(
        two,
        'the user is removed',
        null,
        ({ a, userId }) => a.members.remove('org-a', userId)
      ),
      await withSession(two, 'a token is reused', null, async ({ a, sessionId }) => {
        const rotation = { sessionId, presented: 'digest-1', next: 'digest-2', grace: 0, sealedSuccessor: null }
        await a.sessions.rotate(rotation)
        await a.sessions.rotate({ ...rotation, next: 'digest-3' })
      })
    ]
    await assertVisible(changes, within)
  })

  await t.test('a change of email on one instance takes effect on the other in time', async () => {
    const { a, b } = await create()
    const user = await aUser(a)
    const session = aSession(user.id, clock, { epoch: user.epoch })
    await a.sessions.start(session)
    await assertVisible([{
      title: 'both links are confirmed',
      async change () {
        const links = { digest: 'present', newDigest: 'new' }
        const expiresAt = clock.now() + 60_000
        await a.accountLinks.startEmailChange({ userId: user.id, newEmail: 'new@example.com', ...links, expiresAt })
        await a.accountLinks.confirmEmail('new')
        await a.accountLinks.confirmEmail('present')
      },
      read: async () => (await b.sessions.access(session.id))?.email,
      before: user.email,
      after: 'new@example.com'
    }], within)
  })

  await t.test('second factors and their policy on one instance take effect on the other in time', async () => {
    const { a, b } = await create()
    const user = await aUser(a)
    const session = aSession(user.id, clock, { epoch: user.epoch })
    await a.sessions.start(session)
    await assertVisible([{
      title: 'the user has a factor',
      async change () {
        await a.factors.proposeTotp(user.id, 'SECRET')
        await a.factors.confirmTotp(user.id, { secret: 'SECRET', step: 1, recoveryDigests: [] })
      },
      read: async () => (await b.sessions.access(session.id))?.hasFactor,
      before: false,
      after: true
    }, {
      title: 'the organisation requires a factor',
      change: () => a.organisations.update('org-a', { mfa: 'required' }),
      read: async () => (await b.sessions.access(session.id))?.mfaRequired,
      before: false,
      after: true
    }], within)
  })

  await t.test('changes of an API key on one instance take effect on the other in time', async () => {
    const two = await create()
    await assertVisible(await Promise.all([keyRevoked, keyRotated].map((change) => change(two))), within)
  })

  await t.test('a guest token that one instance invalidates is not returned by the other in time', async () => {
    const { a, b } = await create()
    const now = clock.now()
    await a.guestTokens.set('key', { token: 'x', clientId: 'client', mintedAt: now - 1_000, expiresAt: now + 60_000 })
    const read = async () => (await b.guestTokens.get('key'))?.token ?? null
    await assertVisible([{
      title: 'invalidate',
      change: () => a.guestTokens.invalidate({ clientId: 'client' }),
      read,
      before: 'x',
      after: null
    }], within)
  })

  await t.test('revocations, and their lifting, on one instance take effect on the other in time', async () => {
    const { a, b } = await create()
    const watched = (
      kind: RevocationKind,
      title: string,
      before: number,
      after: number,
      change: () => Promise<unknown>
    ): WatchedChange => ({ title, change, read: () => b.revocations.cutoff('org-a', kind, 'subject'), before, after })
    const fresh = { subject: 'subject', before: 1_000 }
    await a.revocations.revoke(aRevocation({ ...fresh, kind: 'tenant' }))
    const { id } = await a.revocations.revoke(aRevocation({ ...fresh, kind: 'dashboard' }))
    await assertVisible([
      watched('user', 'the first cut-off', 0, 1_000, () => a.revocations.revoke(aRevocation(fresh))),
      watched(
        'tenant',
        'a raised cut-off',
        1_000,
        2_000,
        () => a.revocations.revoke(aRevocation({ ...fresh, kind: 'tenant', before: 2_000 }))
      ),
      watched('dashboard', 'lifted', 1_000, 0, () => a.revocations.lift('org-a', id))
    ], within)
  })
}

async function keyRevoked ({ a, b }: Two): Promise<WatchedChange> {
  const fresh = anApiKey()
  const { id } = await a.apiKeys.create(fresh)
  const read = async () => (await b.apiKeys.resolve(fresh.digest))?.id ?? null
  return { title: 'revoked', change: () => a.apiKeys.revoke('org-a', id), read, before: id, after: null }
}

async function keyRotated ({ a, b }: Two): Promise<WatchedChange> {
  const fresh = anApiKey()
  const { id } = await a.apiKeys.create(fresh)
  const next = { digest: aDigest(), prefix: 'gh_next', overlapUntil: 0 }
  const read = () =>
    Promise.all([fresh.digest, next.digest].map(async (digest) => (await b.apiKeys.resolve(digest))?.id ?? null))
  return {
    title: 'rotated, and the new key tried before',
    change: () => a.apiKeys.rotate('org-a', id, next),
    read,
    before: [id, null],
    after: [null, id]
  }
}

async function deleted ({ a, b }: Two): Promise<WatchedChange> {
  const { id, pipelineKey } = await a.sources.create(aSource())
  const read = async () => (await b.sources.resolve(pipelineKey))?.source.id ?? null
  return { title: 'deleted', change: () => a.sources.delete('org-a', id), read, before: id, after: null }
}

async function disabled ({ a, b }: Two): Promise<WatchedChange> {
  const { id, pipelineKey } = await a.sources.create(aSource())
  const read = async () => (await b.sources.resolve(pipelineKey))?.source.enabled
  return {
    title: 'disabled',
    change: () => a.sources.update('org-a', id, { enabled: false }),
    read,
    before: true,
    after: false
  }
}

async function withoutDomain ({ a, b }: Two): Promise<WatchedChange> {
  const { id, pipelineKey } = await a.sources.create(aSource({ domains: ['https://a.test'] }))
  const read = async () => (await b.sources.resolve(pipelineKey))?.source.domains
  return {
    title: 'a domain removed',
    change: () => a.sources.update('org-a', id, { domains: [] }),
    read,
    before: ['https://a.test'],
    after: []
  }
}

async function withoutOrigin ({ a, b }: Two): Promise<WatchedChange> {
  const { id } = await a.sources.create(aSource({ domains: ['https://gone.test'] }))
  const read = async () => (await b.sources.origins()).some(({ domains }) => domains.includes('https://gone.test'))
  return {
    title: 'no source has the domain any more',
    change: () => a.sources.update('org-a', id, { domains: [] }),
    read,
    before: true,
    after: false
  }
}

async function withNewKey ({ a, b }: Two): Promise<WatchedChange> {
  const { id, pipelineKey } = await a.sources.create(aSource())
  const next = aKey()
  const read = () =>
    Promise.all([pipelineKey, next].map(async (key) => (await b.sources.resolve(key))?.source.id ?? null))
  return {
    title: 'rotated, and the new key tried before',
    change: () => a.sources.rotateKey('org-a', id, { pipelineKey: next, overlapUntil: 0 }),
    read,
    before: [id, null],
    after: [null, id]
  }
}

async function withNamedKey ({ a, b }: Two): Promise<WatchedChange> {
  const { id } = await a.sources.create(aSource())
  const fresh = aSourceKey()
  return {
    title: 'a named key is created, and tried before',
    change: () => a.sourceKeys.create('org-a', id, fresh),
    read: async () => (await b.sources.resolve(fresh.pipelineKey))?.source.id ?? null,
    before: null,
    after: id
  }
}

async function withKeyOff ({ a, b }: Two): Promise<WatchedChange> {
  const { id } = await a.sources.create(aSource())
  const key = await a.sourceKeys.create('org-a', id, aSourceKey())
  return {
    title: 'a named key is disabled',
    change: () => a.sourceKeys.update('org-a', id, key?.id ?? '', { enabled: false }),
    read: async () => (await b.sources.resolve(key?.pipelineKey ?? ''))?.source.id ?? null,
    before: id,
    after: null
  }
}

async function withKeyDeleted ({ a, b }: Two): Promise<WatchedChange> {
  const { id } = await a.sources.create(aSource())
  const key = await a.sourceKeys.create('org-a', id, aSourceKey({ domains: ['https://named-key.test'] }))
  const read = async () => [
    (await b.sources.resolve(key?.pipelineKey ?? ''))?.source.id ?? null,
    (await b.sources.origins()).some(({ domains }) => domains.includes('https://named-key.test'))
  ]
  return {
    title: 'a named key is deleted, with its domains',
    change: () => a.sourceKeys.delete('org-a', id, key?.id ?? ''),
    read,
    before: [id, true],
    after: [null, false]
  }
}

async function withNewSecret ({ a, b }: Two): Promise<WatchedChange> {
  const { id, pipelineKey } = await a.sources.create(aSource({ serverSecret: 'hex:0011', allowWeakSecret: true }))
  const read = async () => (await b.sources.resolve(pipelineKey))?.secrets.map(({ value }) => value.toString('hex'))
  return {
    title: 'secret rotated',
    change: () =>
      a.sources.rotateSecret('org-a', id, { serverSecret: 'hex:2233', overlapUntil: 0, allowWeakSecret: true }),
    read,
    before: ['0011'],
    after: ['2233']
  }
}

async function aWatchedWebhook ({ a }: Two) {
  const source = await a.sources.create(aSource())
  const webhook = await a.webhooks.create('org-a', source.id, aWebhook({ provider: 'custom', secret: 'hex:0011' }))
  if (webhook === null) throw new Error('the webhook of an existing source was not created')
  return { source: source.id, id: webhook.id }
}

async function withWebhookOff (two: Two): Promise<WatchedChange> {
  const { source, id } = await aWatchedWebhook(two)
  const read = async () => (await two.b.webhooks.resolve(id))?.webhook.enabled
  return {
    title: 'disabled',
    change: () => two.a.webhooks.update('org-a', source, id, { enabled: false }),
    read,
    before: true,
    after: false
  }
}

async function withWebhookDeleted (two: Two): Promise<WatchedChange> {
  const { source, id } = await aWatchedWebhook(two)
  const read = async () => (await two.b.webhooks.resolve(id))?.webhook.id ?? null
  return { title: 'deleted', change: () => two.a.webhooks.delete('org-a', source, id), read, before: id, after: null }
}

async function withNewWebhookSecret (two: Two): Promise<WatchedChange> {
  const { source, id } = await aWatchedWebhook(two)
  const read = async () => (await two.b.webhooks.resolve(id))?.secrets.map(({ value }) => value.toString('hex'))
  const change = () => two.a.webhooks.rotateSecret('org-a', source, id, { secret: 'hex:2233', overlapUntil: 0 })
  return { title: 'secret rotated', change, read, before: ['0011'], after: ['2233'] }
}

async function withItsSourceOff (two: Two): Promise<WatchedChange> {
  const { source, id } = await aWatchedWebhook(two)
  const read = async () => (await two.b.webhooks.resolve(id))?.source.enabled
  return {
    title: 'its source disabled',
    change: () => two.a.sources.update('org-a', source, { enabled: false }),
    read,
    before: true,
    after: false
  }
}

interface Subject {
  a: Two['a']
  userId: string
  passwordHash: string
  sessionId: string
}

async function withSession (
  { a, b }: Two,
  title: string,
  after: string | null,
  change: (subject: Subject) => Promise<unknown>
): Promise<WatchedChange> {
  const user = await aUser(a)
  const session = aSession(user.id, clock, { epoch: user.epoch })
  await a.sessions.start(session)
  const read = async () => (await b.sessions.access(session.id))?.role ?? null
  return {
    title,
    change: () => change({ a, userId: user.id, passwordHash: user.passwordHash, sessionId: session.id }),
    read,
    before: 'admin',
    after
  }
}
