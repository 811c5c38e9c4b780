import type { Mail } from '../delivery.ts'
import type { Conversation } from './conversation.ts'

export class Connection {
  readonly conversation: Conversation
  readonly mails: number
  readonly isTrial: boolean

  constructor(conversation: Conversation, { mails, isTrial }: { mails: number; isTrial: boolean }) {
    this.conversation = conversation
    this.mails = mails
    this.isTrial = isTrial
  }

  get isUsedUp(): boolean {
    return this.conversation.tried >= this.mails
  }

  get isUsable(): boolean {
    return this.conversation.isOpen && !this.isUsedUp
  }
}

export interface Attempt {
  mail: Mail
  /** The limit that the email met. Called when another connection takes the email, which proves it. */
  learnLimit?: () => void
}
