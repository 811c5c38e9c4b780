/** Bytes from a mail server, cut into replies. Nothing is kept without a bound. */
import { type Reply, readable, readReply } from './reply.ts'

/** Characters of one line and of one reply; RFC 5321 §4.5.3.1.5 allows 512 to a line. */
const longestLine = 4_096
const longestReply = 65_536

/**
 * A function to feed with what arrives. `take` gets each reply and says whether to read on; `fail` gets the reason when a
 * line or a reply does not end, or is not SMTP.
 */
export function readReplies(take: (reply: Reply) => boolean, fail: (reason: string) => void): (chunk: Buffer) => void {
  let unread = ''
  let lines: string[] = []
  let length = 0

  /** True: the line is in order, read on. */
  function takeLine(line: string): boolean {
    lines.push(line)
    length += line.length
    if (line.length > longestLine || length > longestReply) return refuse(endless)
    // every line of a reply begins with the same code (RFC 5321 §4.2.1)
    const isSameReply = line.slice(0, 3) === lines[0]!.slice(0, 3)
    if (line[3] === '-' && isSameReply) return true
    const reply = isSameReply ? readReply(lines) : undefined
    if (!reply) return refuse(`The mail server answered with something else than SMTP: ${readable(lines.join(' '))}`)
    lines = []
    length = 0
    return take(reply)
  }

  function refuse(reason: string): false {
    fail(reason)
    return false
  }

  return chunk => {
    unread += chunk.toString('latin1')
    let begin = 0
    for (let end = unread.indexOf('\n'); end >= 0; end = unread.indexOf('\n', begin)) {
      if (!takeLine(unread.slice(begin, unread[end - 1] === '\r' ? end - 1 : end))) return
      begin = end + 1
    }
    unread = unread.slice(begin)
    if (unread.length > longestLine) fail(endless)
  }
}

const endless = 'The mail server’s answer did not end'
