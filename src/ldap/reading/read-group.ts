import type { DirectoryPerson, FoundGroup, ReadOutcome } from '../directory.ts'
import { findGroupsIn } from '../find.ts'
import { groupOf } from '../schema/group.ts'
import type { Session } from '../session.ts'
import { dnKey, isBelow, keyOf } from '../syntax/dn.ts'
import type { Entry } from '../syntax/entry.ts'
import { RefusedOperation } from '../wire/words.ts'
import { breather } from './breather.ts'
import { Gathering } from './gathering.ts'
import { type MemberValues, readMembers } from './member-values.ts'
import { resolveMails, resolvePrimary, resolveUids, resolveUrls } from './other-members.ts'
import { judgeDangling, proveAddresses, proveEmpty, proveMissing, provePeopleInSight } from './prove.ts'
import { resolve } from './resolve.ts'
import { Waiting } from './waiting.ts'

interface Step {
  group: FoundGroup
  parent: Step | null
}

export async function readGroupIn(
  session: Session,
  id: string,
  take: (people: DirectoryPerson[]) => Promise<void>
): Promise<ReadOutcome> {
  const [group] = await findGroupsIn(session, [id])
  if (!group) {
    await proveMissing(session)
    return { outcome: 'missing' }
  }
  const key = keyOf(group.dn)
  if (session.exclusions(key, group.mail ? [group.mail] : []))
    return { outcome: 'failed', reason: `${group.name} is one of the exclusions in the settings` }
  const gathering = new Gathering(session, take)
  const top: Step = { group, parent: null }
  const steps = [top]
  const groups = new Map([[key, group]])
  gathering.known.add(key)
  gathering.visited.add(group.id)
  let ownMembers: number | null = null
  for (let step = steps.shift(); step; step = steps.shift()) {
    const listed = await readOne(gathering, step, groups, steps)
    if (step === top) ownMembers = listed
  }
  await gathering.flush()
  judgeDangling(gathering)
  await proveAddresses(gathering)
  await session.checkIdentity()
  const { counts, problems, strategies, away } = gathering
  const strategy = [...strategies].join(' + ') || 'nothing to look up'
  return { outcome: 'read', reading: { group: { ...group, members: ownMembers }, ...counts, strategy, problems, away } }
}

/** Reads one group's people and queues its nested groups. Returns how many values it lists, if it lists them. */
async function readOne(gathering: Gathering, step: Step, groups: Map<string, FoundGroup>, steps: Step[]) {
  const { group, parent } = step
  const { counts } = gathering
  const via = parent ? group.name : null
  const members = await readMembers(gathering.session, group.dn).catch(error => {
    // another directory may have taken over a nested group; the requested group must be here
    if (parent && error instanceof RefusedOperation && error.code === 10) return undefined
    throw error
  })
  if (!members) {
    counts.nestedGroups -= 1
    counts.elsewhere += 1
    gathering.away.push(keyOf(group.dn))
    return null
  }
  const listed = members.dns.length + members.uids.length + members.mails.length
  counts.listed += listed
  counts.ranges += members.ranges

  const waiting = await sortOut(gathering, step, members.dns, groups)
  members.dns = [] // a few hundred thousand names are not held twice
  const found = await resolve(gathering, group.dn, waiting, via)
  found.push(...(await resolveMails(gathering, members.mails, via)))
  await resolveUids(gathering, members.uids, via)
  await resolveUrls(gathering, members.urls, via)
  const primary = members.primaryGroupToken ? await resolvePrimary(gathering, members.primaryGroupToken, via) : 0
  await checkEmptiness(gathering, group, members, listed + primary)
  for (const entry of found) follow(gathering, entry, step, groups, steps)
  return members.urls.length + primary === 0 ? listed : null
}

async function checkEmptiness(gathering: Gathering, group: FoundGroup, members: MemberValues, count: number) {
  if (count > 0) return
  if (members.urls.length > 0) await provePeopleInSight(gathering)
  else await proveEmpty(gathering, group, members)
}

async function sortOut(
  { session, counts, known }: Gathering,
  step: Step,
  dns: string[],
  groups: Map<string, FoundGroup>
) {
  const waiting = new Waiting()
  const breathe = breather()
  for (const dn of dns) {
    const others = breathe()
    if (others) await others
    const key = dnKey(dn)
    if (key === undefined) counts.dangling += 1
    else if (!isBelow(key, session.base)) counts.foreignBase += 1
    else if (known.add(key)) waiting.add(key, dn)
    else if (isAbove(step, groups.get(key))) counts.cyclesCut += 1
    else counts.repeated += 1
  }
  return waiting
}

function follow(gathering: Gathering, entry: Entry, step: Step, groups: Map<string, FoundGroup>, steps: Step[]) {
  const { session, counts } = gathering
  const { key } = entry
  // a nested group is not stored, so its name distinguishes it well enough
  const nested = groupOf(entry, session.names, null) ?? { ...anonymous, id: `dn:${key}`, dn: entry.dn, name: entry.dn }
  if (isAbove(step, nested)) counts.cyclesCut += 1
  else if (gathering.visited.has(nested.id)) counts.repeated += 1
  else if (session.exclusions(key, nested.mail ? [nested.mail] : [])) counts.others += 1
  else {
    groups.set(key, nested)
    gathering.visited.add(nested.id)
    counts.nestedGroups += 1
    steps.push({ group: nested, parent: step })
  }
}

const anonymous = { mail: null, description: null, kind: 'group', members: null } as const

function isAbove(step: Step, group: FoundGroup | undefined): boolean {
  for (let each: Step | null = step; group && each; each = each.parent) if (each.group.id === group.id) return true
  return false
}
