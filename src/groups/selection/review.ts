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
  invite: { name: 'Gets an invitation', meaning: 'one email each', tone: 'good', icon: 'send' },
  pending: { name: 'Already invited', meaning: 'the invitation is still open', tone: 'info', icon: 'clock' },
  active: { name: 'Signed up', meaning: 'no email needed', tone: 'info', icon: 'people' },
  deactivated: { name: 'Deactivated', meaning: 'reactivate first', tone: 'mute', icon: 'minus' },
  suppressed: { name: 'Suppressed', meaning: 'bounced or opted out', tone: 'bad', icon: 'minus' },
  disabled: { name: 'Disabled', meaning: 'disabled in the directory', tone: 'warn', icon: 'minus' },
  foreign: { name: 'Wrong domain', meaning: 'not one of your domains', tone: 'warn', icon: 'globe' },
  left: { name: 'Not in the group', meaning: 'has left it since', tone: 'mute', icon: 'x' }
}

export const isOutcome = (text: string | undefined): text is Outcome =>
  text !== undefined && Object.hasOwn(outcomeWords, text)
