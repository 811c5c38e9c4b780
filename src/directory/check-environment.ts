import type { CheckLdap } from '../config/ldap.ts'
import { dnKey } from '../ldap/syntax/dn.ts'
import { parseFilter } from '../ldap/syntax/filter.ts'
import { messageOf } from '../lib/errors.ts'

/** Reports `LDAP_*` values that no directory could accept at the start, instead of at the first sync. */
export const checkLdap: CheckLdap = ({ baseDn, peopleFilter, groupFilter }) => [
  ...(baseDn === undefined || dnKey(baseDn) !== undefined
    ? []
    : ([['LDAP_BASE_DN', 'must be a DN like dc=example,dc=org']] as const)),
  ...filterFaults('LDAP_PEOPLE_FILTER', peopleFilter),
  ...filterFaults('LDAP_GROUP_FILTER', groupFilter)
]

function filterFaults(name: string, filter: string | undefined): [string, string][] {
  try {
    if (filter !== undefined) parseFilter(filter)
    return []
  } catch (error) {
    return [[name, `is not a filter: ${messageOf(error)}`]]
  }
}
