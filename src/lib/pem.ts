import { X509Certificate } from 'node:crypto'

const beginning = '-----BEGIN CERTIFICATE-----'
const ending = '-----END CERTIFICATE-----'

export function isPem(text: string): boolean {
  const blocks = text.split(beginning).slice(1).flatMap(blockOf)
  try {
    return blocks.length > 0 && blocks.every(block => new X509Certificate(block))
  } catch {
    return false
  }
}

function blockOf(text: string): string[] {
  const end = text.indexOf(ending)
  return end < 0 ? [] : [beginning + text.slice(0, end) + ending]
}
