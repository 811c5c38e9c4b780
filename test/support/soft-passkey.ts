/** A passkey made of Node's crypto: for tests without a browser, and for lies that no browser tells. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const digest = (data: string | Buffer) => createHash('sha256').update(data).digest()
const text = (data: Buffer) => data.toString('base64url')

export interface Lie {
  /** Changes what the browser says that it signed. */
  client?: Record<string, unknown>
  /** 1: present, 4: verified, 64: holds a new key. */
  flags?: number
  counter?: number
  userHandle?: string
  rpId?: string
}

export function softPasskey(origin: string, counter = 0) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const [head, middle] = ['a5010203262001215820', '225820'].map(hex => Buffer.from(hex, 'hex'))
  const cose = Buffer.concat([head!, Buffer.from(x, 'base64url'), middle!, Buffer.from(y, 'base64url')])
  const id = randomBytes(16)
  let used = counter
  const data = (flags: number, count: number, rpId = new URL(origin).hostname, more = Buffer.alloc(0)) => {
    const number = Buffer.alloc(4)
    number.writeUInt32BE(count)
    return Buffer.concat([digest(rpId), Buffer.from([flags]), number, more])
  }
  const said = (type: string, challenge: string, client = {}) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...client }))
  const answer = (response: object) =>
    JSON.stringify({ id: text(id), rawId: text(id), type: 'public-key', clientExtensionResults: {}, response })
  return {
    create(challenge: string, { client, flags = 0x45, rpId }: Lie = {}) {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(id.length)
      const auth = data(flags, used, rpId, Buffer.concat([Buffer.alloc(16), length, id, cose]))
      const start = Buffer.from('a363666d74646e6f6e656761747453746d74a0686175746844617461', 'hex')
      return answer({
        clientDataJSON: text(said('webauthn.create', challenge, client)),
        attestationObject: text(Buffer.concat([start, Buffer.from([0x58, auth.length]), auth])),
        transports: ['internal']
      })
    },
    get(challenge: string, { client, flags = 0x05, userHandle, rpId, ...lie }: Lie = {}) {
      if (counter > 0) used += 1
      const auth = data(flags, lie.counter ?? used, rpId)
      const json = said('webauthn.get', challenge, client)
      const signature = sign('sha256', Buffer.concat([auth, digest(json)]), privateKey)
      return answer({
        clientDataJSON: text(json),
        authenticatorData: text(auth),
        signature: text(signature),
        ...(userHandle === undefined ? {} : { userHandle: text(Buffer.from(userHandle)) })
      })
    }
  }
}
