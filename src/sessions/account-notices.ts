/** What emails about an account say. Their kinds are those of the queue. */

export interface NoticeWords {
  subject: string
  text: string
  more: string
  button: string
  path: string
}

export interface NoticeFacts {
  organization: string
  /** When it happened, in words. */
  at: string
  /** The other owner that it is about. */
  about: string
  /** How the person signs in. */
  ways: string
  codesLeft: number
}

const notYou = 'If that was not you, end your other sessions at your profile, change your password, and tell an owner.'
const profile = { button: 'Open your profile', path: '/me' }
const factor = { more: notYou, button: 'Open your second factor', path: '/me/second-factor' }
const keys = { more: notYou, button: 'Open your passkeys', path: '/me/passkeys' }
const watch = { more: 'If you did not expect this, end their sessions.', button: 'Open Activity', path: '/activity' }

/** `password-link`: the composer adds a one-time link. */
export const notices = {
  'password-link': ({ organization }) => ({
    subject: `Set a new password for ${organization}`,
    text: 'You asked for a link to set a new password. It works once, for 30 minutes.',
    more: 'If you did not ask for it, ignore this email: your password stays as it is.',
    button: 'Set a new password',
    path: '/forgotten/'
  }),
  'password-help': ({ organization, ways }) => ({
    subject: `How you sign in to ${organization}`,
    text: `You asked for a new password, but you do not sign in with one here. You sign in ${ways}.`,
    more: 'If you did not ask, ignore this email.',
    button: 'Sign in',
    path: '/sign-in'
  }),
  'password-reset': ({ organization, at }) => ({
    subject: `Your password for ${organization} was changed`,
    text: `A new password was set by an emailed link on ${at}. All your sessions have ended.`,
    more: 'If that was not you, ask for a new link at once and tell an owner.',
    button: 'Sign in',
    path: '/sign-in'
  }),
  'factor-on': ({ organization, at }) => ({
    subject: `Your second factor for ${organization} is on`,
    text: `An authenticator app was added to your account on ${at}. From now on, signing in asks for its code.`,
    ...factor
  }),
  'factor-off': ({ organization, at }) => ({
    subject: `Your second factor for ${organization} is off`,
    text: `The authenticator app was removed from your account on ${at}.`,
    ...factor
  }),
  'recovery-codes': ({ organization, at }) => ({
    subject: `New recovery codes for ${organization}`,
    text: `New recovery codes were made for your account on ${at}. The earlier ones no longer work.`,
    ...factor
  }),
  'recovery-used': ({ organization, at, codesLeft }) => ({
    subject: `A recovery code for ${organization} was used`,
    text: `A recovery code of your account was used on ${at}. Codes left: ${codesLeft}.`,
    ...factor
  }),
  'passkey-added': ({ organization, at }) => ({
    subject: `A passkey was added to your account at ${organization}`,
    text: `A passkey was added to your account on ${at}. It signs in without a password.`,
    ...keys
  }),
  'passkey-removed': ({ organization, at }) => ({
    subject: `A passkey was removed from your account at ${organization}`,
    text: `A passkey was removed from your account on ${at}.`,
    ...keys
  }),
  'owner-password': ({ organization, at, about }) => ({
    subject: `An owner of ${organization} used a password`,
    text: `${about} used a password to sign in on ${at}, although people sign in with the organization’s account.`,
    ...watch
  }),
  'sign-in-link': ({ organization, at, about }) => ({
    subject: `A sign-in link was made for an owner of ${organization}`,
    text: `On the server, a one-time link was made on ${at} that signs in ${about}. It works for 10 minutes.`,
    ...watch
  }),
  'sessions-ended': ({ organization, at }) => ({
    subject: `Your sessions at ${organization} were ended`,
    text: `An owner ended sessions of your account on ${at}.`,
    more: 'Sign in again to continue. Ask an owner if you do not know why.',
    ...profile
  })
} satisfies Record<string, (facts: NoticeFacts) => NoticeWords>

export type NoticeKind = keyof typeof notices
