/** Requests that are sent by hand, as slowly as a test needs, or incompletely. */
import { once } from 'node:events'
import http from 'node:http'
import { baseUrl } from './app.ts'

export interface SlowRequest {
  /** Resolves when the bytes are sent, or never will be. */
  write: (bytes: Buffer | string) => Promise<void>
  end: () => void
  /** Drops the connection. */
  cut: () => void
  /** Rejects when the connection is lost before an answer. */
  answer: Promise<{ status: number; headers: http.IncomingHttpHeaders; body: string }>
}

/** A POST to an application that listens on `port`; its body is sent by hand. */
export function openRequest(port: number, path: string, headers: Record<string, string | number>): SlowRequest {
  const request = http.request({
    ...{ host: '127.0.0.1', port, path, method: 'POST', agent: false },
    headers: { host: 'localhost:3000', origin: baseUrl, ...headers }
  })
  request.flushHeaders()
  const answer = answerTo(request)
  answer.catch(() => {})
  return {
    write: bytes => new Promise(resolve => request.write(bytes, () => resolve())),
    end: () => void request.end(),
    cut: () => void request.destroy(),
    answer
  }
}

async function answerTo(request: http.ClientRequest) {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') }
}
