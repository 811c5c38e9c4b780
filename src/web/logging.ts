/** JSON lines on stderr that hold no address, token, password or cookie. */
import type { FastifyRequest, FastifyServerOptions } from 'fastify'
import { codeOf } from '../lib/errors.ts'
import { clientAddress } from './client-address.ts'
import { pathForLog, shortened } from './paths.ts'

export interface LogTarget {
  write: (line: string) => void
}

const stderr: LogTarget = { write: line => void process.stderr.write(line) }

export function loggerOptions(level: string, target: LogTarget = stderr): FastifyServerOptions['logger'] {
  return {
    level,
    stream: target,
    serializers: {
      req: (request: FastifyRequest) => ({
        method: request.method,
        path: pathForLog(request.url),
        ip: clientAddress(request)
      }),
      res: reply => ({ statusCode: reply.statusCode }),
      err: describeFault,
      // mail servers and databases may quote the addresses that they refuse
      reason: (reason: unknown) => (typeof reason === 'string' ? withoutAddresses(reason) : reason)
    }
  } as FastifyServerOptions['logger']
}

/** A fault's kind and place. Its message may quote an address or a query's values, so only the kind is kept. */
export function describeFault(error: Error): object {
  const cause: object | undefined = error.cause instanceof Error ? describeFault(error.cause) : undefined
  const isOurs = !('query' in error) && !('severity' in error)
  return {
    type: error.name,
    code: codeOf(error),
    message: isOurs ? withoutAddresses(error.message) : undefined,
    stack: framesOf(error)
      .split('\n')
      .filter(line => line.startsWith('    at '))
      .slice(0, 8)
      .join('\n'),
    cause
  }
}

/** Split first: a pattern for "anything, an @, anything" takes n² steps for a long text without an @. */
function withoutAddresses(text: string): string {
  const words = shortened(text, ' ').split(/([\s<>"']+)/)
  return words.map(word => (word.slice(1, -1).includes('@') ? '<address>' : word)).join('')
}

/** A stack begins with the message, whose lines may come from a form. */
function framesOf({ stack = '', message }: Error): string {
  const at = stack.indexOf(message)
  return at < 0 ? '' : stack.slice(at + message.length)
}
