/** An authority and its certificates, made by openssl in a folder that the test owns. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

export interface Certificate {
  certificate: string
  key: string
}

export interface Authority {
  /** PEM, to be trusted. */
  ca: string
  caFile: string
  /** A certificate for these names: `DNS:localhost,IP:127.0.0.1`. Negative days: expired. */
  issue(names: string, days?: number): Certificate
  selfSigned(names: string): Certificate
}

const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export function makeAuthority(folder: string): Authority {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const read = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8')
  let count = 0
  openssl('req', '-x509', ...ec, '-days', '30', '-subj', '/O=Larkfield CA', '-keyout', 'ca.key', '-out', 'ca.pem')
  return {
    ca: read('ca.pem'),
    caFile: path.join(folder, 'ca.pem'),
    issue(names, days = 30) {
      const name = `server-${++count}`
      openssl('req', ...ec, '-subj', '/O=Larkfield', '-keyout', `${name}.key`, '-out', `${name}.csr`)
      fs.writeFileSync(path.join(folder, `${name}.ext`), `subjectAltName=${names}\n`)
      const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`]
      openssl('x509', '-req', '-in', `${name}.csr`, ...authority, '-days', String(days), '-out', `${name}.pem`)
      return { certificate: read(`${name}.pem`), key: read(`${name}.key`) }
    },
    selfSigned(names) {
      const name = `self-${++count}`
      const subject = ['-subj', '/O=Nobody', '-addext', `subjectAltName=${names}`]
      openssl('req', '-x509', ...ec, ...subject, '-days', '30', '-keyout', `${name}.key`, '-out', `${name}.pem`)
      return { certificate: read(`${name}.pem`), key: read(`${name}.key`) }
    }
  }
}
