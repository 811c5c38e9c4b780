/** A directory of a small company on a real server, and the environment that connects Rollcall to it. */
import { bindDn, bindPassword, group, person, type Slapd, startSlapd, suffix } from './slapd.ts'

const names = ['Amara Diallo', 'Benedikt Hoffmann', 'Chiara Ricci', 'Dmitri Volkov', 'Aiko Tanaka', 'Carlos Mendes']
const departments = ['Data', 'Platform', 'Quality']

export const environmentOf = (slapd: Slapd) => ({
  ...{ LDAP_URL: slapd.url, LDAP_BIND_DN: bindDn, LDAP_BIND_PASSWORD: bindPassword, LDAP_BASE_DN: suffix },
  LDAP_SIGN_IN: 'on'
})

/** Engineering has 60 people in three departments; its managers, interns and 100% of others have fewer. */
export function startCompany(): Promise<Slapd> {
  const people = Array.from({ length: 60 }, (_, index) => {
    const cn = `${names[index % names.length]} ${String(index).padStart(2, '0')}`
    const title = index % 2 ? 'Engineer' : 'Lead'
    return person(`p${index}`, { cn, title, departmentNumber: departments[index % departments.length]! })
  })
  const dns = people.map(({ dn }) => dn)
  return startSlapd({
    entries: [
      ...people,
      group('Engineering', dns, { mail: 'engineering@larkfield.example', description: 'Everybody who builds' }),
      group('Engineering Interns', dns.slice(40, 46)),
      group('Engineering Managers', dns.slice(0, 5)),
      group('Sales 100%', dns.slice(50), { mail: 'sales@larkfield.example' })
    ]
  })
}
