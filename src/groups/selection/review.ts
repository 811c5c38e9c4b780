/** What becomes of somebody who was selected: the mail, or why there is none. Pure. */

export const outcomes = [
  'invite',
  'pending',
  'active',
  'deactivated',
  'suppressed',
  'disabled',
  'foreign',
  'left'
] as const
export type Outcome = (typeof outcomes)[number]

export const outcomeWords: Record<Outcome, { name: string; meaning: string; tone: string; icon: string }> = {
  invite: { name: 'Gets an invitation', meaning: 'one mail each', tone: 'good', icon: 'send' },
  pending: { name: 'Already invited', meaning: 'the invitation is still open', tone: 'info', icon: 'clock' },
  active: { name: 'Signed up', meaning: 'no mail, ever', tone: 'info', icon: 'people' },
  deactivated: { name: 'Deactivated', meaning: 'no mail until reactivated', tone: 'mute', icon: 'minus' },
  suppressed: { name: 'Suppressed', meaning: 'bounced or opted out', tone: 'bad', icon: 'minus' },
  disabled: { name: 'Disabled', meaning: 'switched off in the directory', tone: 'warn', icon: 'minus' },
  foreign: { name: 'Wrong domain', meaning: 'not one of your domains', tone: 'warn', icon: 'globe' },
  left: { name: 'Not in the group', meaning: 'has left it meanwhile', tone: 'mute', icon: 'x' }
}

export const isOutcome = (text: string | undefined): text is Outcome =>
  text !== undefined && Object.hasOwn(outcomeWords, text)
