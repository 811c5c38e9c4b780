import fs from 'node:fs'
import { codeOf } from '../lib/errors.ts'

/** The trimmed value of a setting, or of the file that `NAME_FILE` names; undefined when it is not set. */
export type Read = (name: string) => string | undefined
export type Complain = (name: string, what: string) => void

/** Settings that are not trimmed. */
const secrets = new Set(['LDAP_BIND_PASSWORD', 'OIDC_CLIENT_SECRET'])

export function reader(environment: NodeJS.ProcessEnv, problems: string[]): Read {
  return name => {
    const isSecret = secrets.has(name)
    const plain = (isSecret ? environment[name] : environment[name]?.trim()) || undefined
    const file = environment[`${name}_FILE`]?.trim()
    if (!file) return plain
    if (plain !== undefined) {
      const problem = `${name}_FILE: ${name} is set too, keep one of them`
      if (!problems.includes(problem)) problems.push(problem)
      return plain
    }
    const complain = (problem: string) => {
      if (!problems.includes(`${name}_FILE: ${problem}`)) problems.push(`${name}_FILE: ${problem}`)
    }
    return isSecret ? secretOf(file, complain) : contentOf(file, complain)?.trim() || undefined
  }
}

export function contentOf(file: string, complain: (what: string) => void): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    complain(`cannot be read (${codeOf(error)})`)
    return undefined
  }
}

/** A password may begin or end with a blank: only the newline that editors add to a file is dropped. */
const secretOf = (file: string, complain: (what: string) => void) =>
  contentOf(file, complain)?.replace(/\r?\n$/, '') || undefined

export const listOf = (text: string | undefined) =>
  text
    ?.split(',')
    .map(part => part.trim())
    .filter(Boolean) ?? []
export const oneOf = <T extends string>(text: string, words: readonly T[]) => words.find(word => word === text)

export function wholeNumber(text: string, from: number, to: number): number | undefined {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  return number >= from && number <= to ? number : undefined
}

export function isUrl(text: string, protocols: string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol)
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}
