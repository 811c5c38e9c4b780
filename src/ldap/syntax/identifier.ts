type Form = 'microsoft' | 'octets' | 'text'

/** objectGUID stores its first three fields with the low byte first; eDirectory's GUID is read in order. */
const formOf = (attribute: string): Form => {
  const name = attribute.toLowerCase()
  return name === 'objectguid' ? 'microsoft' : name === 'guid' ? 'octets' : 'text'
}

export function idToText(attribute: string, value: Buffer | undefined): string | null {
  if (!value?.length) return null
  const form = formOf(attribute)
  if (form === 'text') return textId(value)
  if (value.length !== 16) return null
  const bytes = form === 'microsoft' ? swapped(value) : value
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Of several values the least, whatever their order. */
export function idOf(attribute: string, values: Buffer[]): string | null {
  if (values.length <= 1) return idToText(attribute, values[0])
  return idToText(attribute, values.toSorted(Buffer.compare)[0])
}

/** The bytes to search for; null when no entry can have this id. */
export function idToBytes(attribute: string, text: string): Buffer | null {
  const form = formOf(attribute)
  if (form === 'text') return textId(Buffer.from(text)) === null ? null : Buffer.from(text)
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return null
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex')
  return form === 'microsoft' ? swapped(bytes) : bytes
}

function textId(value: Buffer): string | null {
  const text = value.toString('utf8').trim()
  return text === '' || text.length > 200 || /[\p{Cc}\uFFFD]/u.test(text) ? null : text
}

function swapped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.subarray(0, 4).reverse()
  copy.subarray(4, 6).reverse()
  copy.subarray(6, 8).reverse()
  return copy
}
