/** A well-behaved mail server in this process that keeps the emails it receives. */
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { SmtpSettings } from '../../src/config/smtp.ts'

export interface Received {
  from: string
  to: string[]
  raw: Buffer
  isSecure: boolean
  user: string | undefined
}

export interface TestMailServer {
  settings: SmtpSettings
  mails: Received[]
  stop: () => Promise<void>
}

export async function startMailServer(options: SMTPServerOptions = {}): Promise<TestMailServer> {
  const mails: Received[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: options.key ? [] : ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 200,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const from = mailFrom ? mailFrom.address : ''
        const to = rcptTo.map(recipient => recipient.address)
        mails.push({ from, to, raw: Buffer.concat(chunks), isSecure: session.secure, user: session.user })
        done(null, `2.0.0 kept as ${mails.length}`)
      })
    },
    ...options
  })
  server.on('error', () => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.server.address() as AddressInfo
  return { settings: settingsFor(port), mails, stop: () => new Promise(resolve => server.close(() => resolve())) }
}

export const settingsFor = (port: number): SmtpSettings => ({
  host: '127.0.0.1',
  port,
  secure: false,
  requireTls: false,
  connections: 4,
  name: 'console.larkfield.example'
})
