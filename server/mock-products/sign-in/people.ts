/** A person who can sign in at the mock identity providers. */
export interface Person {
  /** Identifies the person at the provider; never changes. */
  id: string
  email: string
  emailVerified: boolean
  givenName: string
  familyName: string
  groups: readonly string[]
}

/** The demo people: with and without groups, with an unverified email address, and with one of another domain. */
export const DEMO_PEOPLE: readonly Person[] = [
  {
    id: 'person-1001',
    email: 'ann@example.com',
    emailVerified: true,
    givenName: 'Ann',
    familyName: 'Archer',
    groups: ['analytics-admins', 'staff']
  },
  {
    id: 'person-1002',
    email: 'ben@example.com',
    emailVerified: true,
    givenName: 'Ben',
    familyName: 'Baker',
    groups: ['analytics-editors', 'staff']
  },
  {
    id: 'person-1003',
    email: 'cleo@example.com',
    emailVerified: false,
    givenName: 'Cleo',
    familyName: 'Carver',
    groups: ['staff']
  },
  {
    id: 'person-1004',
    email: 'dan@partner.example',
    emailVerified: true,
    givenName: 'Dan',
    familyName: 'Draper',
    groups: ['partners']
  },
  {
    id: 'person-1005',
    email: 'eve@example.com',
    emailVerified: true,
    givenName: 'Eve',
    familyName: 'Ellis',
    groups: []
  }
]

/** Returns the full name of a person. */
export function nameOf ({ givenName, familyName }: Person): string {
  return `${givenName} ${familyName}`
}
