/** The URN of users, of the enterprise extension and of groups (RFC 7643). */
export const USER_URN = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const ENTERPRISE_URN = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const GROUP_URN = 'urn:ietf:params:scim:schemas:core:2.0:Group'

/** An attribute of a resource, as `/Schemas` describes it. */
export interface Attribute {
  type: 'string' | 'boolean' | 'complex' | 'reference'
  description: string
  multiValued?: true
  required?: true
  uniqueness?: 'server'
  caseExact?: true
  readOnly?: true
  /** The attributes of a complex value, by their names. */
  sub?: AttributeTable
}

/** Attributes by their canonical names. */
export type AttributeTable = Readonly<Record<string, Attribute>>

const text = (description: string): Attribute => ({ type: 'string', description })
const flag = (description: string): Attribute => ({ type: 'boolean', description })
const complex = (description: string, sub: AttributeTable): Attribute => ({ type: 'complex', description, sub })

/** A list of values that have a type and one of which can be the primary value. */
const many = (description: string, sub: AttributeTable = {}): Attribute => ({
  type: 'complex',
  multiValued: true,
  description,
  sub: {
    value: text('The value'),
    display: text('The value for people'),
    type: text('The kind of the value, such as work'),
    primary: flag('Whether this is the primary value'),
    ...sub
  }
})

/** The attributes of users that a directory can set. */
export const USER_ATTRIBUTES: AttributeTable = {
  userName: { ...text('The name of the user, unique in the organisation'), required: true, uniqueness: 'server' },
  externalId: { ...text("The directory's id of the user"), caseExact: true },
  active: flag('Whether the user may log in'),
  name: complex('The parts of the name', {
    formatted: text('The whole name'),
    familyName: text('The family name'),
    givenName: text('The given name'),
    middleName: text('The middle name'),
    honorificPrefix: text('The title before the name'),
    honorificSuffix: text('The suffix after the name')
  }),
  displayName: text('The name for people'),
  nickName: text('The casual name'),
  profileUrl: { type: 'reference', description: 'The address of a profile' },
  title: text('The job title'),
  userType: text('The relation to the organisation'),
  preferredLanguage: text('The preferred language'),
  locale: text('The locale'),
  timezone: text('The time zone'),
  emails: many('The email addresses; the primary work address is the email of the account'),
  phoneNumbers: many('The phone numbers'),
  ims: many('The addresses of instant messengers'),
  photos: many('The addresses of photos'),
  addresses: many('The postal addresses', {
    formatted: text('The whole address'),
    streetAddress: text('The street'),
    locality: text('The city'),
    region: text('The region'),
    postalCode: text('The postal code'),
    country: text('The country')
  }),
  entitlements: many('The entitlements')
}

/** The attributes of the enterprise extension. */
export const ENTERPRISE_ATTRIBUTES: AttributeTable = {
  employeeNumber: text('The number of the employee'),
  costCenter: text('The cost centre'),
  organization: text('The organisation'),
  division: text('The division'),
  department: text('The department'),
  manager: complex('The manager', {
    value: text('The id of the manager'),
    $ref: { type: 'reference', description: 'The address of the manager' },
    displayName: text('The name of the manager')
  })
}

/** The attributes that a user has and that no request changes. */
export const READ_ONLY_ATTRIBUTES: AttributeTable = {
  roles: { ...many('The role in the organisation'), readOnly: true },
  groups: { ...many('The groups'), readOnly: true }
}

/** The attributes of groups. */
export const GROUP_ATTRIBUTES: AttributeTable = {
  displayName: { ...text('The name of the group, unique in the organisation'), required: true, uniqueness: 'server' },
  externalId: { ...text("The directory's id of the group"), caseExact: true },
  members: {
    type: 'complex',
    multiValued: true,
    description: 'The users of the group',
    sub: { value: { ...text('The id of the user'), caseExact: true }, display: text('The userName') }
  }
}

/** Attributes that a request may contain and that are ignored. A password is never stored. */
const IGNORED = new Set(['id', 'schemas', 'meta', 'groups', 'roles', 'password'])

/** Returns whether an attribute, in lower case, is ignored in requests. */
export function isIgnored (name: string): boolean {
  return IGNORED.has(name)
}

const lowerNames = new WeakMap<AttributeTable, ReadonlyMap<string, string>>()

/** Returns the canonical name of an attribute, which may be in any case; `undefined` if the table does not have it. */
export function canonicalName (table: AttributeTable, name: string): string | undefined {
  let names = lowerNames.get(table)
  if (names === undefined) {
    names = new Map(Object.keys(table).map((known) => [known.toLowerCase(), known]))
    lowerNames.set(table, names)
  }
  return names.get(name.toLowerCase())
}
