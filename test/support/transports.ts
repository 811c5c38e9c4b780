/** Mail transports that stay in this process. */
import type { Mail, MailTransport, Outcome } from '../../src/mail/delivery.ts'

export interface TestTransport extends MailTransport {
  /** Addresses that were sent to, in order. */
  recipients: string[]
}

/** Accepts every email, unless `answer` refuses it. */
export function transportThat(
  answer: (mail: Mail) => Outcome | undefined | Promise<Outcome | undefined>
): TestTransport {
  const recipients: string[] = []
  return {
    recipients,
    concurrency: 10,
    send: async mail => {
      const outcome = (await answer(mail)) ?? { is: 'sent', reply: '250 2.0.0 ok' }
      if (outcome.is === 'sent') recipients.push(mail.to)
      return outcome
    },
    verify: async () => undefined,
    close: async () => {}
  }
}

export const takesAll = () => transportThat(() => undefined)
