import type { Filter } from 'ldapts'
import { isKeyOf } from '../lib/known.ts'
import { number } from '../lib/words.ts'
import { DirectoryProblem, type DirectorySettings, type TestStep, type TestStepName } from './directory.ts'
import { firstOf } from './reading/prove.ts'
import { groupAttributes } from './schema/group.ts'
import { personAttributes } from './schema/person.ts'
import { type Session, withSession } from './session.ts'
import { everything } from './syntax/literal.ts'
import type { Limits } from './wire/limits.ts'
import { RefusedOperation } from './wire/words.ts'

const maxCounted = 10_000
const titles = { 'active-directory': 'Active Directory', openldap: 'OpenLDAP', '389': '389 Directory Server' }

/** Takes the steps of a sync one by one, and stops where one fails. Changes nothing, here or there. */
export async function testSteps(
  settings: DirectorySettings,
  limits: Limits,
  signal?: AbortSignal
): Promise<TestStep[]> {
  const steps: TestStep[] = []
  let current: TestStepName = 'resolve'
  const begin = (name: TestStepName) => {
    current = name
  }
  const done = (text: string, advice: string | null = null) => {
    steps.push({ name: current, ok: true, text, advice })
  }
  try {
    await withSession(settings, limits, signal, session => look(session, begin, done), { begin, done })
  } catch (error) {
    if (!(error instanceof DirectoryProblem)) throw error
    steps.push({ name: current, ok: false, text: error.message, advice: error.advice })
  }
  return steps
}

async function look(
  session: Session,
  begin: (name: TestStepName) => void,
  done: (text: string, advice?: string | null) => void
) {
  const { settings, server, names, filters } = session
  const contexts = server.namingContexts.join(', ')
  if (settings.baseDn !== '' && !(await session.read(settings.baseDn, ['objectClass'], `Reading ${settings.baseDn}`)))
    throw new DirectoryProblem(
      `The base ${settings.baseDn} does not exist, or the bind account may not see it`,
      contexts ? `This server holds ${contexts}` : 'Check the base DN and what the bind account may read'
    )
  done(settings.baseDn === '' ? 'The whole directory' : `Found ${settings.baseDn}`)

  begin('vendor')
  const known = isKeyOf(titles, server.vendor) ? titles[server.vendor] : undefined
  await firstOf(
    session.pages(
      { base: settings.baseDn, scope: 'sub', filter: everything, attributes: ['1.1'], doing: 'Asking for a page' },
      1
    )
  )
  const paging = server.canPage
    ? null
    : 'This server cannot answer in pages, so groups of more people than its size limit cannot be read'
  done(known && known !== server.title ? `${known} (${server.title})` : server.title, paging)

  begin('groups')
  const groupName = (entry: { text(...names: string[]): string | null }) => entry.text('cn', 'displayName')
  done(...(await count(session, filters.groups, groupAttributes(names), 'groups', groupName)))
  begin('people')
  const personName = (entry: { text(...names: string[]): string | null }) => entry.text(...names.name)
  done(...(await count(session, filters.people, personAttributes(names), 'people', personName)))
}

async function count(
  session: Session,
  filter: Filter,
  attributes: string[],
  what: string,
  nameOf: (entry: { text(...names: string[]): string | null }) => string | null
): Promise<[string, string | null]> {
  const { names, settings } = session
  const search = { base: settings.baseDn, scope: 'sub' as const, filter, attributes }
  const examples: string[] = []
  let total = 0
  let withoutId = 0
  let end: RefusedOperation | undefined
  try {
    for await (const page of session.pages({ ...search, doing: `Counting ${what}` })) {
      total += page.length
      withoutId += page.filter(entry => !entry.has(names.id)).length
      for (const entry of page.slice(0, 3 - examples.length)) examples.push(nameOf(entry) ?? entry.dn)
      if (total >= maxCounted) break
    }
  } catch (error) {
    end = limitOf(error)
    if (!end || total === 0) throw error
  }
  if (total === 0)
    throw new DirectoryProblem(
      `No ${what} below ${settings.baseDn}`,
      'Check the base, the filter and what the bind account may read'
    )
  if (withoutId > 0)
    throw new DirectoryProblem(
      `${withoutId} of ${total} ${what} show no ${names.id}, so a rename would lose them`,
      'Choose another id attribute, or let the bind account read this one'
    )
  const isMore = end !== undefined || total >= maxCounted
  const shown = `${isMore ? 'More than ' : ''}${number(Math.min(total, maxCounted))}`
  const text = `${shown} ${what}: ${examples.join(', ')}${total > examples.length ? ' …' : ''}`
  return [text, end ? `${end.message} ${end.advice}` : null]
}

/** 389 Directory Server looks through 5,000 entries by default: enough to count some, and no fault. */
const limitOf = (error: unknown) => (error instanceof RefusedOperation && error.code === 11 ? error : undefined)
