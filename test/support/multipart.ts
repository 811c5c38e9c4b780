/** Forms with a file, as a browser sends them. */

export interface FilePart {
  name: string
  content: string | Buffer
  type?: string
  field?: string
}

export interface Multipart {
  body: Buffer
  type: string
}

export const boundary = '----rollcall-test-boundary'

/** The fields before the file, unless `isFileFirst`. */
export function multipart(
  fields: Record<string, string | string[]>,
  file?: FilePart,
  { isFileFirst = false } = {}
): Multipart {
  const plain = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map(each => part(`form-data; name="${name}"`, undefined, Buffer.from(each)))
  )
  const head = file && `form-data; name="${file.field ?? 'file'}"; filename="${file.name}"`
  const files = file ? [part(head!, file.type ?? 'text/plain', Buffer.from(file.content as Buffer))] : []
  const parts = isFileFirst ? [...files, ...plain] : [...plain, ...files]
  return {
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    type: `multipart/form-data; boundary=${boundary}`
  }
}

function part(disposition: string, type: string | undefined, content: Buffer): Buffer {
  const head = `--${boundary}\r\nContent-Disposition: ${disposition}\r\n${type ? `Content-Type: ${type}\r\n` : ''}\r\n`
  return Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n')])
}
