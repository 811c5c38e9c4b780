import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import t from 'tap'
import { type DatabaseUrlProblems, readDatabaseUrl } from '../../../src/db/connection/database-url.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-url-'))
t.teardown(() => fs.rmSync(folder, { recursive: true }))
const file = (name: string, text: string, mode = 0o600) => {
  fs.writeFileSync(path.join(folder, name), text, { mode })
  return path.join(folder, name)
}
const problemsOf = (url: string) => {
  try {
    readDatabaseUrl(url)
    return []
  } catch (error) {
    return (error as DatabaseUrlProblems).problems
  }
}

t.test('E25, E28: hosts, ports and socket folders, one or several', async t => {
  const cases: [string, string[]][] = [
    ['postgres://u@db.example/d', ['db.example 5432']],
    ['postgresql://u@db.example:6432/d', ['db.example 6432']],
    ['postgres://u@one:1,two:2,three/d', ['one 1', 'two 2', 'three 5432']],
    ['postgres://u@[::1]:6432,[fd00::2]/d', ['::1 6432', 'fd00::2 5432']],
    ['postgres://u@/d?host=/run/postgresql', ['/run/postgresql 5432']],
    ['postgres:///d?host=/run/postgresql&port=5433', ['/run/postgresql 5433']],
    ['postgres://u@localhost:5433/d?host=%2Frun%2Fpostgresql', ['/run/postgresql 5433']],
    ['postgres://%2Frun%2Fpostgresql/d', ['/run/postgresql 5432']],
    ['postgres://u@/d?host=one,two&port=1,2', ['one 1', 'two 2']],
    ['postgres://u@one,two:7/d?port=9', ['one 9', 'two 9']],
    ['postgres://', ['localhost 5432']]
  ]
  for (const [url, hosts] of cases)
    t.same(
      readDatabaseUrl(url).hosts.map(({ name, port }) => `${name} ${port}`),
      hosts,
      url
    )
  t.equal(readDatabaseUrl('postgres://u@one:1,two:2/d').target, 'read-write', 'of several, the one that takes writes')
  t.equal(readDatabaseUrl('postgres://u@one/d').target, 'any')
  t.equal(readDatabaseUrl('postgres://u@one,two/d?target_session_attrs=any').target, 'any')
})

t.test('user, password and database may contain any character, as %XX', async t => {
  t.match(readDatabaseUrl('postgres://a%40b:p%2Fw%3A%23%25%C3%A9:+@h/d%20b'), {
    user: 'a@b',
    password: 'p/w:#%é:+',
    database: 'd b'
  })
  t.match(readDatabaseUrl('postgres://u:a@b@h/d'), { password: 'a@b', hosts: [{ name: 'h' }] })
  t.match(readDatabaseUrl('postgres://h/?user=u&password=a%26b&dbname=d'), {
    user: 'u',
    password: 'a&b',
    database: 'd'
  })
  t.equal(readDatabaseUrl('postgres://u@h').database, 'u', 'the user’s name where none is given')
  t.equal(readDatabaseUrl('postgres://h/d').user, os.userInfo().username)
})

t.test('E25: unknown parameters are refused by name, all at once, with what to write', async t => {
  const cases: [string, RegExp][] = [
    ['mysql://h/d', /^must be a URL like postgres:/],
    ['postgres://u:p#w@h/d', /write .* # as %23/],
    ['postgres://u:p/w@h/d', /write .* \/ as %2F/],
    ['postgres://u:12/34@h/d', /write .* \/ as %2F/],
    ['postgres://u:100%@h/d', /% that is not followed .* % as %25/],
    ['postgres://u@h:port/d', /port that is not a number from 1 to 65535/],
    ['postgres://u@h:70000/d', /port that is not a number/],
    ['postgres://u@a,b/d?port=1,2,3', /2 hosts and 3 ports/],
    ['postgres://u@h/d?sslmode=allow', /unknown sslmode "allow": write prefer/],
    ['postgres://u@h/d?sslmode=no-verify', /write require/],
    ['postgres://u@h/d?sslmode=on', /write disable, prefer, require, verify-ca, verify-full/],
    ['postgres://u@h/d?ssl=true', /"ssl": write sslmode=require/],
    ['postgres://u@h/d?schema=app', /"schema": write options=-csearch_path%3Dapp|search_path%3Dname/],
    ['postgres://u@h/d?jit=off', /sets "jit", which Rollcall sets itself/],
    ['postgres://u@h/d?TimeZone=UTC', /sets "TimeZone"/],
    ['postgres://u@h/d?pgbouncer=true', /unknown parameter "pgbouncer": remove it/],
    ['postgres://u@h/d?sslmode=require&sslmode=prefer', /names sslmode twice/],
    ['postgres://u@h/d?prepare', /prepare without a value/],
    ['postgres://u@h/d?prepare=off', /prepare=off: it can only be true or false/],
    ['postgres://u@h/d?connect_timeout=0', /whole number from 1 to 60/],
    ['postgres://u@h/d?target_session_attrs=standby', /Rollcall writes/],
    ['postgres://u@h/d?target_session_attrs=prefer-standby', /Rollcall writes/],
    ['postgres://u@h/d?sslmode=verify-ca', /without sslrootcert/],
    ['postgres://u@h/d?sslmode=require&sslrootcert=system', /write sslmode=verify-full/],
    ['postgres://u@h/d?sslmode=verify-ca&sslrootcert=system', /write sslmode=verify-full/],
    [
      'postgres://u@h/d?sslmode=verify-full&sslrootcert=/nowhere',
      /sslrootcert=\/nowhere, which cannot be read \(ENOENT\)/
    ],
    [`postgres://u@h/d?sslmode=verify-full&sslrootcert=${file('text', 'x')}`, /not in PEM format/],
    ['postgres://u@h/d?sslcert=/x', /one of sslcert and sslkey without the other/],
    ['postgres://u@h/d?channel_binding=require', /channel_binding=require, which Rollcall cannot do/],
    ['postgres://u@h/d?passfile=/nowhere', /passfile=\/nowhere, which cannot be read/],
    ['postgres://u%00@h/d', /character 0/]
  ]
  for (const [url, words] of cases) t.match(problemsOf(url).join('\n'), words, url)
  t.equal(problemsOf('postgres://u@h:x/d?sslmode=on&foo=1').length, 3)
})

t.test('encryption is requested if the server is on another machine', async t => {
  const modeOf = (url: string) => readDatabaseUrl(url).tls.mode
  t.equal(modeOf('postgres://u@db.example/d'), 'prefer')
  t.equal(modeOf('postgres://u@localhost,127.0.0.1/d'), 'disable')
  t.equal(modeOf('postgres://u@/d?host=/run'), 'disable')
  t.equal(modeOf('postgres://u@db.example/d?sslmode=verify-full'), 'verify-full')
  t.ok(readDatabaseUrl('postgres://u@h/d?sslmode=verify-full&sslrootcert=system').tls.ca)
})

t.test('a password can come from a libpq password file that only its owner can read', async t => {
  const text = '# ours\nother:5432:d:u:no\ndb.example:*:*:u:s\\:e\\\\c\nlocalhost:5432:d:u:local\n'
  const url = (passfile: string, host = 'db.example') => `postgres://u@${host}/d?passfile=${passfile}`
  const good = file('pgpass', text)
  t.equal(readDatabaseUrl(url(good)).password, 's:e\\c')
  t.equal(readDatabaseUrl(`postgres://u@/d?host=/run&passfile=${good}`).password, 'local')
  t.match(problemsOf(url(good, 'elsewhere')), [/no line for elsewhere:5432:d:u/])
  t.match(problemsOf(url(file('open', text, 0o644))), [/other users may read: run chmod 600/])
})
