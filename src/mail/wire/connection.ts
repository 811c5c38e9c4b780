import type { Mail } from '../delivery.ts'
import type { Conversation } from './conversation.ts'

/** One connection and how many mails it may carry. */
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
  /** Learns the limit that the mail met. Called when another connection takes the mail, which proves the limit. */
  learnLimit?: () => void
}
