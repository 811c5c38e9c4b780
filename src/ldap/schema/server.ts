import type { Vendor } from '../directory.ts'
import { Entry } from '../syntax/entry.ts'
import { everything } from '../syntax/literal.ts'
import type { Connection } from '../wire/connection.ts'
import { searchOnce } from '../wire/pages.ts'
import { RefusedOperation } from '../wire/words.ts'

/** What the root DSE (RFC 4512 §5.1) says about the server. */
export interface Server {
  vendor: Vendor
  title: string
  canPage: boolean
  canSayWho: boolean
  namingContexts: string[]
  /** Where it shows its schema; null: unknown. */
  subschema: string | null
}

const attributes = [
  'objectClass',
  'vendorName',
  'vendorVersion',
  'supportedCapabilities',
  'supportedControl',
  'supportedExtension',
  'namingContexts',
  'subschemaSubentry'
]

export const oids = { paging: '1.2.840.113556.1.4.319', whoAmI: '1.3.6.1.4.1.4203.1.11.3' }

/** Results of a server that hides its root entry. */
const hiddenBy = [1, 10, 32, 50, 53]

export async function readServer(connection: Connection): Promise<Server> {
  const search = { base: '', scope: 'base' as const, filter: everything, attributes, doing: 'Reading the root entry' }
  const found = await searchOnce(connection, search).catch(error => {
    // some servers show it to no one; then nothing is known, and paging is tried
    if (error instanceof RefusedOperation && hiddenBy.includes(error.code)) return []
    throw error
  })
  const root = found[0] && new Entry(found[0])
  if (!root)
    return {
      vendor: 'generic',
      title: 'LDAP server',
      canPage: true,
      canSayWho: false,
      namingContexts: [],
      subschema: null
    }
  const controls = root.texts('supportedControl')
  return {
    ...nameOf(root),
    canPage: controls.length === 0 || controls.includes(oids.paging),
    canSayWho: root.texts('supportedExtension').includes(oids.whoAmI),
    namingContexts: root.texts('namingContexts'),
    subschema: root.text('subschemaSubentry')
  }
}

function nameOf(root: Entry): { vendor: Vendor; title: string } {
  const vendorName = root.text('vendorName') ?? ''
  const version = root.text('vendorVersion') ?? ''
  const title = [vendorName, version].filter(Boolean).join(' ')
  if (root.texts('supportedCapabilities').includes('1.2.840.113556.1.4.800'))
    return { vendor: 'active-directory', title: title || 'Active Directory' }
  if (root.isOf('OpenLDAProotDSE')) return { vendor: 'openldap', title: title || 'OpenLDAP' }
  if (/^389[- ]/i.test(version) || /389 Project/i.test(vendorName)) return { vendor: '389', title }
  if (/novell|netiq|edirectory|opentext|micro focus/i.test(title)) return { vendor: 'edirectory', title }
  return { vendor: 'generic', title: title || 'LDAP server' }
}
