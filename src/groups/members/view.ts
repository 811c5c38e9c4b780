/** What a group's page shows: members, sections and which of them are open. It is the page's URL. */

import type { deliveryStates } from '../../db/schema.ts'
import { idOf } from '../../lib/id.ts'
import { isKeyOf } from '../../lib/known.ts'
import { searchTerm } from '../../lib/search-text.ts'
import { deliveryBadges } from '../../mail/delivery-badges.ts'
import { type Enrollment, isEnrollment } from '../../people/person.ts'

export const groupings = ['department', 'title', 'status'] as const
export type Grouping = (typeof groupings)[number]

export const noSection = '(none)'

export interface MemberFilter {
  q?: string | undefined
  enrollment?: Enrollment | undefined
  delivery?: (typeof deliveryStates)[number] | undefined
}

export interface GroupView extends MemberFilter {
  by: Grouping
  /** Keys of the open sections; null: the default. */
  open: string[] | null
  /** In an open section, the last person shown; its rows continue after them. */
  after: Map<string, number>
  from: string | null
  selection: number | null
}

type Field = string | string[] | undefined

/** Reads a URL's parameters or a form's fields; invalid ones are ignored. */
export interface ViewFields {
  by?: Field
  status?: Field
  delivery?: Field
  q?: Field
  open?: Field
  after?: Field
  from?: Field
  selection?: Field
}

const listOf = (value: Field) => (value === undefined ? [] : [value].flat())
const textOf = (value: Field) => listOf(value)[0] ?? ''

export function readView(fields: ViewFields): GroupView {
  const [by, status, delivery] = [textOf(fields.by), textOf(fields.status), textOf(fields.delivery)]
  const open = listOf(fields.open)
  return {
    by: groupings.find(each => each === by) ?? 'department',
    q: searchTerm(textOf(fields.q)),
    enrollment: isEnrollment(status) ? status : undefined,
    delivery: isKeyOf(deliveryBadges, delivery) ? delivery : undefined,
    open: fields.open === undefined ? null : [...new Set(open.filter(Boolean))],
    after: new Map(listOf(fields.after).flatMap(positionOf)),
    from: textOf(fields.from) || null,
    selection: idOf(textOf(fields.selection)) ?? null
  }
}

/** "Platform:4012": the section's key may contain colons itself. */
function positionOf(text: string): [string, number][] {
  const at = text.lastIndexOf(':')
  const id = idOf(text.slice(at + 1))
  return at > 0 && id ? [[text.slice(0, at), id]] : []
}

/** Without the question mark; defaults are left out. */
export function queryOf(view: GroupView): string {
  const { by, q = '', enrollment = '', delivery = '', open, after, from, selection } = view
  const said = Object.entries({ q, status: enrollment, delivery, from: from ?? '', selection: String(selection ?? '') })
  const parameters = new URLSearchParams([['by', by], ...said.filter(([, value]) => value)])
  for (const key of open?.length === 0 ? [''] : (open ?? [])) parameters.append('open', key)
  for (const [key, id] of after) if (open === null || open.includes(key)) parameters.append('after', `${key}:${id}`)
  return parameters.toString()
}

export const rowsInSection = 50
const rowsOnPage = 200

export function toggled(view: GroupView, isOpen: readonly string[], key: string) {
  const open = isOpen.includes(key) ? isOpen.filter(each => each !== key) : [...isOpen, key]
  return { ...view, open }
}

/** Keys of the open sections. By default as many as fit in one section's rows; in a full page the first ones close. */
export function openSections(view: GroupView, sections: readonly { key: string; people: number }[]): string[] {
  const isFirst = (key: string) => view.open === null && key === sections[0]?.key
  const asked = view.open === null ? sections.map(({ key }) => key) : view.open.toReversed()
  let room = view.open === null ? rowsInSection : rowsOnPage
  const open = asked.filter(key => {
    const rows = Math.min(sections.find(section => section.key === key)?.people ?? 0, rowsInSection)
    if (rows === 0 || (rows > room && !isFirst(key))) return false
    room -= rows
    return true
  })
  return sections.map(({ key }) => key).filter(key => open.includes(key))
}

/** The view with some fields replaced; other people mean other sections, so none stays open. */
export function changedView(view: GroupView, changed: ViewFields): GroupView {
  const fields = Object.fromEntries([...new URLSearchParams(queryOf(view))].filter(([name]) => name !== 'open'))
  const kept = { ...fields, ...(view.open === null ? {} : { open: view.open.length ? view.open : '' }) }
  const after = [...view.after].map(([key, person]) => `${key}:${person}`)
  const next = readView({ ...kept, after, ...changed })
  return isSameFilter(view, next) ? next : { ...next, open: null, after: new Map(), from: null }
}

const isSameFilter = (one: GroupView, other: GroupView) =>
  (['by', 'q', 'enrollment', 'delivery'] as const).every(name => one[name] === other[name])
