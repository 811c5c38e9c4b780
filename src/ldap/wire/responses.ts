import { BerReader, BindResponse, type Control, ExtendedResponse, type MessageResponse, SearchResponse } from 'ldapts'
import { checkNesting } from './ber.ts'

const maxBytes = 1024 * 1024

const responses = new Map<number, new (options: { messageId: number }) => MessageResponse>([
  [0x61, BindResponse],
  [0x65, SearchResponse],
  [0x78, ExtendedResponse]
])

export function decodeResponse(message: Buffer, messageId: number, tag: number, controls: Control[]): MessageResponse {
  const Response = responses.get(tag)
  if (message.length > maxBytes) throw new Error(`its answer has ${message.length} bytes and no entry`)
  if (!Response) throw new Error(`it answered with operation 0x${tag.toString(16)}`)
  checkNesting(message)
  const reader = new BerReader(message)
  reader.readSequence()
  reader.readInt()
  reader.readSequence()
  const response = new Response({ messageId })
  response.parse(reader, controls)
  return response
}
