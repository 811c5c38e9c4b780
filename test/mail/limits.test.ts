/** What real mail servers say when they have limits, and what each refusal is about. */
import { test } from 'tap'
import type { About } from '../../src/mail/delivery.ts'
import { askOf } from '../../src/mail/wire/limits.ts'
import { readReply, type Stage } from '../../src/mail/wire/reply.ts'

const table: [stage: Stage, reply: string, about: About | 'for good', more?: object][] = [
  // Office 365 and Exchange
  [
    'message',
    '432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [Hostname=x.example.com]',
    'at-once',
    { limit: undefined }
  ],
  ['message', '432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded', 'at-once'],
  [
    'connect',
    '421 4.3.2 The maximum number of concurrent connections has exceeded a limit, closing transmission channel',
    'at-once'
  ],
  [
    'connect',
    '421 4.3.2 The maximum number of concurrent server connections has exceeded a limit, closing transmission channel',
    'at-once'
  ],
  ['sender', '421 4.4.2 Message submission rate for this client has exceeded the configured limit', 'pace'],
  ['message', '421 4.4.2 Connection dropped due to SocketError', 'connection', { isVague: true }],
  ['data', '421 4.4.2 Connection dropped due to timeout', 'connection'],
  ['sender', '451 4.7.500 Server busy. Please try again later from [192.0.2.7]. (AS77712)', 'pace'],
  [
    'message',
    '451 4.7.0 throttled: you have exceeded the limit of 30 messages per minute',
    'pace',
    { limit: 30, unit: 'minute' }
  ],
  ['message', '451 4.7.0 Temporary server error. Please try again later. PRX2', 'mail'],
  ['recipient', '452 4.3.1 Insufficient system resources (UsedVersionBuckets)', 'everything'],
  ['connect', '421 4.3.2 Service not available', 'everything'],
  ['data', '421 4.3.2 Service not active', 'connection'],
  [
    'message',
    '550 5.1.90 Your message can’t be sent because you have reached your daily limit for message recipients',
    'pace',
    { unit: 'day' }
  ],
  [
    'message',
    '550 5.7.233 Your message can’t be sent because your tenant exceeded its daily limit for sending email to external recipients',
    'pace',
    { unit: 'day' }
  ],
  ['message', '550 5.7.60 SMTP; Client does not have permissions to send as this sender', 'for good'],
  // Google
  ['connect', '421 4.7.0 Try again later, closing connection. (EHLO) f7-20020a0cf3c7', 'everything'],
  ['connect', '421 4.7.0 Too many concurrent SMTP connections; please try again later.', 'at-once'],
  ['connect', '454 4.7.0 Too many login attempts, please try again later. 41be03b00d2f7', 'at-once'],
  [
    'recipient',
    '450 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend your message at a later time.',
    'mail'
  ],
  [
    'recipient',
    '450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.',
    'mail'
  ],
  [
    'recipient',
    '550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.',
    'mail'
  ],
  [
    'message',
    '421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address.',
    'pace'
  ],
  ['recipient', '452 4.5.3 Your message has too many recipients.', 'connection'],
  [
    'message',
    '550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to',
    'pace',
    { unit: 'day' }
  ],
  ['message', '421 4.3.0 Temporary System Problem. Try again later.', 'connection', { isVague: true }],
  ['recipient', '452 4.2.2 The recipient’s inbox is out of storage space.', 'mail'],
  // Amazon SES
  ['message', '454 Throttling failure: Maximum sending rate exceeded.', 'pace', { unit: 'second' }],
  ['data', '454 Throttling failure: Daily message quota exceeded.', 'pace', { unit: 'day' }],
  ['message', '451 4.4.2 Timeout waiting for data from client.', 'connection'],
  ['connect', '421 Too many concurrent SMTP connections', 'at-once'],
  // postfix
  ['connect', '421 4.7.0 mx.example.org Error: too many connections from 192.0.2.7', 'at-once'],
  ['sender', '450 4.7.1 Error: too much mail from 192.0.2.7', 'pace'],
  ['recipient', '450 4.7.1 Error: too many recipients from 192.0.2.7', 'pace'],
  ['recipient', '450 4.7.1 Client host rejected: rate limit exceeded', 'pace'],
  ['recipient', '452 4.5.3 Error: too many recipients', 'connection'],
  ['connect', '421 4.3.2 All server ports are busy', 'at-once'],
  ['connect', '450 4.7.1 Error: too many AUTH commands from 192.0.2.7', 'at-once'],
  ['recipient', '421 4.7.0 mx.example.org Error: too many errors', 'connection'],
  ['sender', '452 4.3.1 Insufficient system storage', 'everything'],
  ['message', '451 4.3.0 Error: queue file write error', 'mail'],
  ['sender', '451 4.3.0 Temporary lookup failure', 'everything'],
  ['recipient', '451 4.3.0 <ada@larkfield.example>: Temporary lookup failure', 'mail'],
  // exim, sendmail, OpenSMTPD, qmail
  ['connect', '421 mx.example.org: Too many concurrent SMTP connections; please try again later', 'at-once'],
  ['connect', '421 Too many concurrent SMTP connections from this IP address; please try again later.', 'at-once'],
  ['sender', '421 too many messages in this connection', 'connection', { isVague: undefined }],
  ['sender', '421 Unexpected failure, please try later', 'connection', { isVague: true }],
  ['recipient', '451 Temporary local problem - please try later', 'mail'],
  ['message', '421 Lost incoming connection', 'connection'],
  ['connect', '421 4.3.2 Connection rate limit exceeded.', 'pace'],
  ['connect', '421 4.3.2 Too many open connections.', 'at-once'],
  ['sender', '452 4.4.5 Insufficient disk space; try again later', 'everything'],
  ['recipient', '421 4.7.0 Too many bad commands; closing connection', 'connection'],
  ['sender', '452 4.4.5 limit of messages for this session reached', 'connection', { isVague: undefined }],
  ['data', '452 4.4.5 limit of messages for this session reached', 'connection'],
  ['sender', '421 4.5.0 Too many messages sent', 'connection', { isVague: true }],
  ['connect', '421 out of memory (#4.3.0)', 'everything'],
  ['message', '451 qq temporary problem (#4.3.0)', 'mail'],
  // providers
  ['sender', '421 4.7.0 Rate limit exceeded, retry after 60 seconds', 'pace', { wait: 60 }],
  ['message', '452 4.3.2 Message limit of 100 messages per hour reached', 'pace', { limit: 100, unit: 'hour' }],
  ['message', '451 You have exceeded your messaging limits', 'pace'],
  ['connect', '421 Too many connections from your host', 'at-once'],
  ['message', '450 4.7.1 You are sending too fast, slow down', 'pace'],
  ['message', '550 5.7.1 Rate limit exceeded: 14 messages per second', 'pace', { limit: 14, unit: 'second' }],
  ['connect', '554 5.7.1 Too many connections from your host, maximum is 5', 'at-once', { limit: 5 }],
  ['sender', '421 4.7.0 maximum of 20 messages per connection reached', 'connection', { limit: 20 }],
  ['connect', '421 4.7.0 maximum number of 3 simultaneous connections reached', 'at-once', { limit: 3 }],
  [
    'recipient',
    '450 4.7.1 <x>: Recipient address rejected: Greylisted, try again in 300 seconds',
    'mail',
    { wait: 300 }
  ],
  ['recipient', '451 4.7.1 Greylisting in action, please come back in 00:05:00', 'mail', { wait: 300 }],
  [
    'recipient',
    '450 4.2.0 <x>: Recipient address rejected: Greylisted, see http://postgrey.example/help/192.0.2.7.html',
    'mail'
  ],
  ['sender', '450 4.7.1 try again in 30 s: sending rate too high', 'pace', { wait: 30 }],
  // everything
  ['message', '421 4.3.2 System shutting down', 'everything'],
  ['connect', '451 4.3.0 local error in processing', 'everything'],
  ['connect', '421 4.4.1 bye', 'everything'],
  // nothing that is known: this mail
  ['recipient', '450 hm', 'mail'],
  ['recipient', '450 4.7.1 not now', 'mail'],
  ['data', '451 4.7.0 no', 'mail'],
  ['message', '452 4.3.4 message too big for the system', 'mail'],
  ['recipient', '421 bye', 'connection', { isVague: true }],
  // for good
  ['recipient', '550 5.1.1 no such user', 'for good'],
  ['message', '552 5.2.2 mailbox over quota, limit exceeded', 'for good'],
  ['message', '554 5.7.1 spam, rate limit exceeded by your reputation', 'for good'],
  ['recipient', '550 5.7.1 blocked: too many connections, see https://blocklist.example', 'for good'],
  ['message', '552 5.3.4 Message size exceeds fixed limit', 'for good'],
  ['recipient', '554 5.7.1 Relay access denied', 'for good']
]

test('what a refusal is about: this email, this connection, how many at once, how fast, or everything', async t => {
  for (const [stage, text, about, more = {}] of table) {
    const lines = [...Buffer.from(text).toString('latin1').split('\r\n')]
    const ask = askOf(stage, readReply(lines)!)
    t.equal(ask?.about ?? 'for good', about, `${stage}: ${text}`)
    t.match(ask ?? {}, more, `${stage}: ${text}`)
  }
})

test('a wait is read if the words name one, and is bounded', async t => {
  const waits: [string, number | undefined][] = [
    ['450 4.7.1 try again in 30 s', 30],
    ['450 4.7.1 please retry in 2 minutes', 120],
    ['450 4.7.1 retry after 1 hour', 3600],
    ['450 4.7.1 wait 90 seconds', 90],
    ['450 4.7.1 come back in 00:04:58', 298],
    ['450 4.7.1 delayed for 60 sec', 60],
    ['450 4.7.1 retry after 999999 days', 86_400],
    ['450 4.7.1 try again later from [192.0.2.30]', undefined],
    ['450 4.7.1 again 7 dwarfs', undefined],
    ['450 4.7.1 see https://help.example/answer/10336?hl=en', undefined]
  ]
  for (const [text, wait] of waits) t.equal(askOf('recipient', readReply([text])!)?.wait, wait, text)
})

test('words crafted to be slow are read quickly', async t => {
  for (const piece of ['too many ', 'limit ', 'connection ', '1 ', 'exceed ', 'retry ', 'maximum 9', 'a'.repeat(50)])
    askOf('recipient', readReply([`450 4.7.1 ${piece.repeat(400)}`])!)
  t.pass()
})
