import t from 'tap'
import { goodPassword, startApp } from '../../support/app.ts'
import { addGroup } from '../../support/groups.ts'
import { linkOf, sql } from '../../support/people.ts'

const { db, browser, work, close } = await startApp()
t.teardown(close)
const at = (name: string) => `${name}@larkfield.example`

t.test('people who join by a group’s invitation stay in its team as long as the directory lists them', async t => {
  const ben = await browser('ben')
  const support = await addGroup(db, 'Support', [{ email: at('nina') }, { email: at('otto') }])
  await addGroup(db, 'Sales', [{ email: at('sally') }])
  const place = `/groups/${support.id}`
  const { headers } = await ben.post(`${place}/review`, { all: '1' })
  t.match((await ben.get(headers.location!)).body, /2 people get an invitation/)
  const selection = new URL(headers.location!, 'http://x').searchParams.get('selection')!
  const batch = (await ben.post(`${place}/invitations`, { selection })).headers.location!
  await work()
  t.match((await ben.get(batch)).body, `href="${place}"`)
  // as the next sync would after Otto left the group
  await db.execute(sql`delete from memberships where person_id = ${support.people.otto!}`)
  for (const name of ['nina', 'otto']) {
    const visitor = await browser()
    const { token } = await linkOf(db, at(name))
    t.equal((await visitor.post(`/join/${token}`, { name, password: goodPassword })).statusCode, 303)
    const { body } = await visitor.get('/me')
    t.equal(body.includes('Support'), name === 'nina', name)
  }
  const reasons = await db.execute<{ text: string }>(sql`
    select concat_ws(' ', p.email, t.name, m.source) as text
    from memberships m join teams t on t.id = m.team_id join people p on p.id = m.person_id order by 1`)
  t.same(
    reasons.map(({ text }) => text.replace('@larkfield.example', '')),
    ['nina Support directory', 'sally Sales directory']
  )
})
