import { Control } from 'ldapts'

/** Asks why a bind was refused (draft-behera-ldap-password-policy-11 §6.2): servers send it only on request. */
export class PasswordPolicy extends Control {
  /** 0 expired, 1 locked, 2 must be changed first. */
  error: number | undefined

  constructor() {
    super('1.3.6.1.4.1.42.2.27.8.5.1')
  }

  /** `SEQUENCE { warning [0] OPTIONAL, error [1] ENUMERATED OPTIONAL }`, each a few bytes long. */
  protected override parseControl({ buffer }: { buffer: Buffer }): void {
    if (buffer[0] !== 0x30) return
    const at = buffer[2] === 0xa0 ? 4 + (buffer[3] ?? 0) : 2
    if (buffer[at] === 0x81 && buffer[at + 1] === 1) this.error = buffer[at + 2]
  }
}
