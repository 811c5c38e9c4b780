/** Defines every number of people: dashboard, People and charts use these and no others. */
import { type Enrollment, enrollments } from './person.ts'

export interface Kind {
  enrollment: Enrollment
  /** There was an invitation whose email or link was sent, or still may be. */
  wasInvited: boolean
  wasHandedOver: boolean
  count: number
}

const sumOf = (kinds: readonly Kind[], test: (kind: Kind) => boolean) =>
  kinds.filter(test).reduce((sum, { count }) => sum + count, 0)
const isUser = ({ enrollment }: Kind) => enrollment === 'signed-up' || enrollment === 'deactivated'

export const countEnrollments = (kinds: readonly Kind[]) =>
  Object.fromEntries(
    enrollments.map(state => [state, sumOf(kinds, ({ enrollment }) => enrollment === state)])
  ) as Record<Enrollment, number>

export interface Funnel {
  /** Everyone but the users who were never invited, such as the first owner. */
  inScope: number
  invited: number
  /** Of those invited: an email reached a mail server, or they joined by a link that was passed on. */
  handedOver: number
  /** Signed up by an invitation, even if deactivated since. */
  joined: number
}

/** From in scope to joined: each step includes everyone of the next one. */
export function funnelOf(kinds: readonly Kind[]): Funnel {
  return {
    inScope: sumOf(kinds, kind => kind.wasInvited || !isUser(kind)),
    invited: sumOf(kinds, kind => kind.wasInvited),
    handedOver: sumOf(kinds, kind => kind.wasInvited && (kind.wasHandedOver || isUser(kind))),
    joined: sumOf(kinds, kind => kind.wasInvited && isUser(kind))
  }
}
