import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import t from 'tap'
import { type ConfigProblems, readConfig } from '../../src/config/env.ts'

const key = Buffer.alloc(32, 1).toString('base64')
const problemsOf = (environment: Record<string, string>) => {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    return (error as ConfigProblems).problems
  }
}

t.test('without settings it serves this machine on port 3000 with the embedded database and the outbox', async t => {
  const config = readConfig({})
  t.match(config, {
    host: '127.0.0.1',
    port: 3000,
    baseUrl: 'http://localhost:3000',
    databaseUrl: undefined,
    dataDir: './data',
    smtp: undefined,
    mailFrom: { name: 'Rollcall', address: 'rollcall@localhost' },
    role: 'all',
    logLevel: 'info'
  })
  t.ok(Object.isFrozen(config))
  t.equal(readConfig({ PORT: '8080' }).baseUrl, 'http://localhost:8080')
})

t.test('it reports every problem at once', async t => {
  const problems = problemsOf({
    PORT: '70000',
    BASE_URL: 'ftp://x',
    DATABASE_URL: 'mysql://x',
    SECRET_KEY: 'short',
    SMTP_URL: 'http://mail',
    MAIL_FROM: 'nobody',
    ROLE: 'boss',
    LOG_LEVEL: 'loud',
    TRUST_PROXY: 'everybody'
  })
  t.same(
    problems.map(problem => problem.split(':')[0]),
    ['PORT', 'BASE_URL', 'TRUST_PROXY', 'DATABASE_URL', 'SECRET_KEY', 'SMTP_URL', 'MAIL_FROM', 'ROLE', 'LOG_LEVEL']
  )
})

t.test('DATABASE_URL requires a key, and a mail server requires a sender', async t => {
  t.match(problemsOf({ DATABASE_URL: 'postgres://x/y' }), [/^SECRET_KEY: is required/])
  t.same(problemsOf({ DATABASE_URL: 'postgres://x/y', SECRET_KEY: key }), [])
  t.match(problemsOf({ SMTP_URL: 'smtp://mail.example' }), [/^MAIL_FROM: is required/])
})

t.test('E26: a bind password is used unchanged; from a file only the last newline is removed', async t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-config-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'password')
  const base = { LDAP_URL: 'ldaps://ldap.example.org' }
  t.equal(readConfig({ ...base, LDAP_BIND_PASSWORD: ' blank ' }).ldap.bindPassword, ' blank ')
  for (const [content, password] of [
    ['blank ', 'blank '],
    ['blank \n', 'blank '],
    ['blank \r\n', 'blank '],
    ['two\n\n', 'two\n'],
    ['\n', undefined]
  ] as const) {
    fs.writeFileSync(file, content)
    t.equal(
      readConfig({ ...base, LDAP_BIND_PASSWORD_FILE: ` ${file} ` }).ldap.bindPassword,
      password,
      JSON.stringify(content)
    )
  }
})

t.test('S15: former keys are separated by commas or line ends', async t => {
  const other = Buffer.alloc(32, 2).toString('base64')
  const { secretKey, formerKeys } = readConfig({ SECRET_KEY: key, SECRET_KEY_FORMER: `${other}, ${key}\n` })
  t.same(secretKey, Buffer.alloc(32, 1))
  t.same(formerKeys, [Buffer.alloc(32, 2), Buffer.alloc(32, 1)])
  t.same(readConfig({}).formerKeys, [])
  t.match(problemsOf({ SECRET_KEY_FORMER: `${other},short` }), [/^SECRET_KEY_FORMER: must be keys like SECRET_KEY/])
})

t.test('a base URL is only an origin', async t => {
  for (const url of ['https://x.example/path', 'https://x.example?a', 'https://u:p@x.example', 'x.example']) {
    t.match(problemsOf({ BASE_URL: url }), [/^BASE_URL:/], url)
  }
  t.equal(readConfig({ BASE_URL: 'https://x.example/' }).baseUrl, 'https://x.example')
})

t.test('a proxy is a valid address or range', t => {
  const proxies = '127.0.0.1, 10.0.0.0/8, ::1, fd00::/8, loopback'
  t.equal(readConfig({ TRUST_PROXY: proxies }).trustProxy.length, 5)
  for (const range of ['10.0.0.0/33', '10.0.0.0/0', '999.1.1.1', ':::::', 'fd00::/129', '10.0.0', '1'])
    t.match(problemsOf({ TRUST_PROXY: range }), [/^TRUST_PROXY: ".*" is not an address or a CIDR range/], range)
  t.end()
})

t.test('S14: mail is sent over TLS unless the server is this machine or the operator allows otherwise', async t => {
  const smtp = (url: string) => readConfig({ SMTP_URL: url, MAIL_FROM: 'a@b.example' }).smtp
  t.match(smtp('smtp://mail.example'), {
    host: 'mail.example',
    port: 25,
    secure: false,
    requireTls: true,
    connections: 10
  })
  t.match(smtp('smtp://127.0.0.1:2525'), { port: 2525, requireTls: false })
  t.match(smtp('smtp://[::1]:2525'), { host: '::1', requireTls: false })
  t.match(smtp('smtp://mail.example?starttls=optional'), { requireTls: false })
  t.match(smtp('smtp://me:p%40ss@mail.example'), { port: 587, user: 'me', password: 'p@ss', requireTls: true })
  t.match(smtp('smtps://mail.example?connections=3'), { port: 465, secure: true, connections: 3 })
  for (const url of [
    'smtp://mail.example?connections=51',
    'smtp://mail.example?starttls=off',
    'smtp://mail.example?x=1',
    'smtp://me@mail.example',
    'smtp://me:100%@mail.example'
  ]) {
    t.match(problemsOf({ SMTP_URL: url, MAIL_FROM: 'a@b.example' }), [/^SMTP_URL:/], url)
  }
})

t.test('a setting of which a part would be ignored is refused, with what to write', async t => {
  const smtp = (SMTP_URL: string) => problemsOf({ SMTP_URL, MAIL_FROM: 'a@b.example' })
  const host = 'mail.larkfield.example:2525'
  t.match(smtp(`smtp://mailer:12/ab@${host}`), [/^SMTP_URL: .*write \/ as %2F$/])
  t.match(smtp(`smtp://mailer:12?ab@${host}`), [/write \? as %3F$/])
  t.match(smtp(`smtp://mailer:12#ab@${host}`), [/write # as %23$/])
  t.match(smtp(`smtp://mailer:a/b@${host}`), [/write \/ as %2F$/])
  t.match(smtp(`smtp://ma/iler:ab@${host}`), [/write \/ as %2F$/])
  t.match(smtp(`smtps://mailer:a/b?c#d@${host}`), [/write \/ as %2F$/])
  t.match(smtp(`smtp://mailer:1%2@${host}`), [/write %25/])
  t.match(smtp(`smtp://mailer:1%@${host}`), [/write %25/])
  for (const end of ['/x', '/x/', '//', '#x', '/#x', '?connections=3#x', '/x?connections=3', '#'])
    t.match(smtp(`smtp://${host}${end}`), [/^SMTP_URL: has (unused text after the host|an unused #)/], end)
  t.match(smtp(`smtp://mailer:1\t2@${host}`), [/tab or a line break/])
  t.match(smtp(`smtp://${host}?connections=3&connections=4`), [/connections twice/])
  t.match(smtp(`smtp://${host}?starttls=optional&pool=1`), [/unknown parameter pool/])
  t.match(smtp(`smtps://${host}?starttls=optional`), [/starttls is for smtp:\/\/ only/])
  for (const secret of [`smtp://mailer:hush/ab@${host}`, 'smtp://mailer:12/hush', `smtp://mailer:hush%@${host}`])
    t.notMatch(smtp(secret).join(), /hush/)
  const kept: [url: string, user: string, password: string][] = [
    ['mailer:12%2Fab', 'mailer', '12/ab'],
    ['kim@larkfield.example:p:a', 'kim@larkfield.example', 'p:a'],
    ['kim%40larkfield.example:p@ss', 'kim@larkfield.example', 'p@ss'],
    ['mailer:%23%3F%25%20', 'mailer', '#?% '],
    ['DOMAIN\\mailer:a\\b', 'DOMAIN\\mailer', 'a\\b']
  ]
  for (const [login, user, password] of kept)
    for (const end of ['', '/', '?connections=3', '/?connections=3'])
      t.match(readConfig({ SMTP_URL: `smtp://${login}@${host}${end}`, MAIL_FROM: 'a@b.example' }).smtp, {
        ...{ host: 'mail.larkfield.example', port: 2525, user, password }
      })

  t.match(problemsOf({ LDAP_URL: 'ldap://x/dc=y' }), [/^LDAP_URL: .*set LDAP_BASE_DN/])
  t.match(problemsOf({ LDAP_URL: 'ldap://x?cn?sub' }), [/^LDAP_URL: .*set LDAP_BASE_DN/])
  t.match(problemsOf({ LDAP_URL: 'ldaps://cn=a:b@x' }), [/^LDAP_URL: .*set LDAP_BIND_DN/])
  t.match(problemsOf({ LDAP_URL: 'ldap://x#y' }), [/^LDAP_URL: has unused text after the host/])
  for (const url of ['ldap://', 'ldap:x', 'x.example', 'http://x', 'ldap://a ldap://b', ''])
    t.match(problemsOf({ LDAP_URL: url || 'ldaps://' }), [/^LDAP_URL: must be a URL like/], url)
  for (const url of [
    'https://x.example/a',
    'https://x.example#a',
    'https://x.example?a',
    'https://u@x.example',
    'https://x.example/#'
  ])
    t.match(problemsOf({ BASE_URL: url }), [/^BASE_URL:/], url)
})

t.test('a setting can come from a file', async t => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-config-')), 'key')
  fs.writeFileSync(file, `${key}\n`)
  t.same(readConfig({ SECRET_KEY_FILE: file }).secretKey, Buffer.alloc(32, 1))
  t.match(problemsOf({ SECRET_KEY_FILE: `${file}.none` }), [/^SECRET_KEY_FILE: cannot be read \(ENOENT\)/])
  t.match(problemsOf({ SECRET_KEY_FILE: file, SECRET_KEY: key }), [/^SECRET_KEY_FILE: SECRET_KEY is set too/])
  fs.rmSync(path.dirname(file), { recursive: true })
})

t.test('a provider needs issuer, client and secret, and an issuer that can be checked', async t => {
  t.equal(readConfig({}).oidc, undefined)
  const given = { OIDC_CLIENT_ID: 'rollcall', OIDC_CLIENT_SECRET: ' kept as it is ' }
  const issuer = 'https://id.larkfield.example/realms/all'
  t.match(readConfig({ ...given, OIDC_ISSUER: `${issuer}/.well-known/openid-configuration` }).oidc, {
    issuer,
    clientId: 'rollcall',
    clientSecret: ' kept as it is ',
    name: undefined
  })
  t.same(problemsOf({ OIDC_ISSUER: issuer }), [
    'OIDC_CLIENT_ID: is required with OIDC_ISSUER',
    'OIDC_CLIENT_SECRET: is required with OIDC_ISSUER'
  ])
  for (const [wrong, words] of [
    ['id.larkfield.example', 'must be a URL'],
    ['http://id.larkfield.example', 'must start with https://'],
    ['https://a:b@id.larkfield.example', 'has a user name or a password in it'],
    ['https://id.larkfield.example/?x', 'must have no query'],
    ['https://login.microsoftonline.com/common/v2.0', 'accepts accounts of any organization']
  ] as const)
    t.match(problemsOf({ ...given, OIDC_ISSUER: wrong }), [new RegExp(`^OIDC_ISSUER: ${words}`)], wrong)
  t.equal(readConfig({ ...given, OIDC_ISSUER: 'http://127.0.0.1:8080' }).oidc?.issuer, 'http://127.0.0.1:8080')
})

t.test('a sender has a plain address', async t => {
  t.match(readConfig({ MAIL_FROM: '"Larkfield" <hello@larkfield.example>' }).mailFrom, {
    name: 'Larkfield',
    address: 'hello@larkfield.example'
  })
  t.match(problemsOf({ MAIL_FROM: 'a@b.example, c@d.example' }), [/^MAIL_FROM:/])
})

t.test('the environment sets the directory, as far as it names settings', async t => {
  t.same(readConfig({}).ldap, {})
  t.equal(readConfig({}).ldapSignIn, false)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-config-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  const ca = path.join(folder, 'ca.pem')
  fs.writeFileSync(ca, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  fs.writeFileSync(path.join(folder, 'password'), 'secret\n')
  const given = {
    ...{ LDAP_URL: 'ldap://ldap.example.org', LDAP_CA_FILE: ca, LDAP_BIND_DN: 'cn=x', LDAP_BASE_DN: 'dc=x' },
    ...{ LDAP_BIND_PASSWORD_FILE: path.join(folder, 'password'), LDAP_SIGN_IN: 'on', LDAP_PEOPLE_FILTER: '(uid=*)' }
  }
  const { ldap, ldapSignIn } = readConfig(given)
  t.match(ldap, { startTls: true, ca: /BEGIN CERTIFICATE/, bindPassword: 'secret', peopleFilter: '(uid=*)' })
  t.equal(ldapSignIn, true)
  t.equal(readConfig({ LDAP_URL: 'ldap://127.0.0.1:1389' }).ldap.startTls, false, 'clear text stays on the machine')
  t.equal(readConfig({ LDAP_URL: 'ldaps://x' }).ldap.startTls, false)
  t.equal(readConfig({ LDAP_URL: 'ldap://x', LDAP_STARTTLS: 'off' }).ldap.startTls, false)

  const wrong = { LDAP_URL: 'ldap://x/dc=y', LDAP_STARTTLS: 'maybe', LDAP_SIGN_IN: 'yes', LDAP_CA_FILE: '/nowhere' }
  t.same(
    problemsOf(wrong).map(problem => problem.split(':')[0]),
    ['LDAP_URL', 'LDAP_STARTTLS', 'LDAP_CA_FILE', 'LDAP_SIGN_IN']
  )
  t.match(problemsOf({ LDAP_BIND_PASSWORD: 'x' }), ['LDAP_BIND_PASSWORD: needs LDAP_URL beside it'])
  t.match(problemsOf({ LDAP_URL: 'ldaps://x', LDAP_STARTTLS: 'on' }), [/LDAP_STARTTLS: is for ldap/])
})
