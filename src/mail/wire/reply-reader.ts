/** Cuts bytes from a mail server into replies. All that it keeps is bounded. */
import { type Reply, readable, readReply } from './reply.ts'

/** In characters. RFC 5321 §4.5.3.1.5 allows 512 in a line. */
const maxLine = 4_096
const maxReply = 65_536

/** Returns a function that takes bytes. `receive` returns false to stop; `fail` gets the reason for invalid input. */
export function readReplies(
  receive: (reply: Reply) => boolean,
  fail: (reason: string) => void
): (chunk: Buffer) => void {
  let unread = ''
  let lines: string[] = []
  let length = 0

  function addLine(line: string): boolean {
    lines.push(line)
    length += line.length
    if (line.length > maxLine || length > maxReply) return refuse(tooLong)
    // every line of a reply begins with the same code (RFC 5321 §4.2.1)
    const isSameReply = line.slice(0, 3) === lines[0]?.slice(0, 3)
    if (line[3] === '-' && isSameReply) return true
    const reply = isSameReply ? readReply(lines) : undefined
    if (!reply) return refuse(`The mail server’s reply is not SMTP: ${readable(lines.join(' '))}`)
    lines = []
    length = 0
    return receive(reply)
  }

  function refuse(reason: string): false {
    fail(reason)
    return false
  }

  return chunk => {
    unread += chunk.toString('latin1')
    let begin = 0
    for (let end = unread.indexOf('\n'); end >= 0; end = unread.indexOf('\n', begin)) {
      if (!addLine(unread.slice(begin, unread[end - 1] === '\r' ? end - 1 : end))) return
      begin = end + 1
    }
    unread = unread.slice(begin)
    if (unread.length > maxLine) fail(tooLong)
  }
}

const tooLong = 'The mail server’s reply is too long'
