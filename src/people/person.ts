import { isOneOf } from '../lib/known.ts'

export const enrollments = ['not-invited', 'invited', 'expired', 'revoked', 'signed-up', 'deactivated'] as const
export type Enrollment = (typeof enrollments)[number]

export const enrollmentBadges: Record<Enrollment, { tone: string; icon: string; text: string }> = {
  'not-invited': { tone: 'mute', icon: 'minus', text: 'Not invited' },
  invited: { tone: 'info', icon: 'mail', text: 'Waiting' },
  expired: { tone: 'warn', icon: 'clock', text: 'Expired' },
  revoked: { tone: 'warn', icon: 'x', text: 'Revoked' },
  'signed-up': { tone: 'good', icon: 'check', text: 'Signed up' },
  deactivated: { tone: 'bad', icon: 'minus', text: 'Deactivated' }
}

export function isEnrollment(text: string): text is Enrollment {
  return isOneOf(enrollments, text)
}

/** The directory keeps these people's names in sync: a name typed here would be overwritten. */
export const isNameKept = (person: { directoryId: string | null; name: string | null }): boolean =>
  person.directoryId !== null && person.name !== null
