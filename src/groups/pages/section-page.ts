import { last } from '../../lib/ends.ts'
import { number, peopleInWords } from '../../lib/words.ts'
import { deliveryBadge, noMailWords } from '../../mail/delivery-badges.ts'
import { enrollmentBadges, isEnrollment } from '../../people/person.ts'
import { showDay } from '../../web/dates.ts'
import { initialsOf } from '../../web/pages.ts'
import type { ListedMember, Section } from '../members/store.ts'
import { type GroupView, noSection, rowsInSection, toggled, type ViewFields } from '../members/view.ts'

export type Go = (changed: ViewFields) => string

interface SectionContext {
  view: GroupView
  open: string[]
  go: Go
  address: Go
  timeZone: string
}

export function sectionView(section: Section, index: number, members: ListedMember[], context: SectionContext) {
  const { view, open, go, address, timeZone } = context
  const { key, people, notInvited, selected } = section
  const isOpen = open.includes(key)
  const mine = members.filter(member => member.section === key)
  const shown = mine.slice(0, rowsInSection)
  const isLater = view.after.has(key)
  const others = [...view.after].filter(([other]) => other !== key).map(([other, id]) => `${other}:${id}`)
  const rest = isLater ? '' : ` of ${number(people - shown.length)}`
  const further = mine.length > rowsInSection ? { open, after: [...others, `${key}:${last(shown).id}`] } : null
  const openKeys = toggled(view, open, key).open
  return {
    key,
    people,
    notInvited,
    index,
    isOpen,
    name: sectionName(view, section.name),
    text: `${peopleInWords(people)}, ${number(notInvited)} not invited`,
    isWhole: selected === people,
    isPartly: selected > 0 && selected < people,
    toggle: go({ open: openKeys.length > 0 ? openKeys : [''] }),
    rows: shown.map(member => memberView(member, view.by, timeZone)),
    start: isLater && isOpen ? go({ open, after: others.length > 0 ? others : [''] }) : null,
    more: further ? go(further) : null,
    append: further ? address(further) : null,
    moreText: `Show ${Math.min(rowsInSection, isLater ? rowsInSection : people - shown.length)} more${rest}`
  }
}

function sectionName({ by }: GroupView, name: string): string {
  if (by === 'status' && isEnrollment(name)) return enrollmentBadges[name].text
  return name === noSection ? `No ${by}` : name
}

function memberView(member: ListedMember, by: GroupView['by'], timeZone: string) {
  const name = member.name ?? member.email
  return {
    id: member.id,
    section: member.section,
    name,
    initials: initialsOf(name),
    email: member.email,
    href: `/people/${member.id}`,
    isSelected: member.isSelected,
    isDisabled: member.isDisabled,
    enrollment: member.enrollment,
    enrollmentBadge: enrollmentBadges[member.enrollment],
    delivery: member.delivery ?? '',
    deliveryBadge: deliveryBadge(member),
    isQuiet: member.delivery === 'sent' && !member.isKept,
    noMail: noMailWords(member.suppression),
    fact: (by === 'title' ? member.department : member.title) ?? '',
    invited: member.invitedAt ? showDay(member.invitedAt, timeZone) : null
  }
}
