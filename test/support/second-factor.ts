import type { LightMyRequestResponse } from 'fastify'
import { Secret, TOTP } from 'otpauth'
import type { Database } from '../../src/db/client.ts'
import { type Browser, goodPassword } from './app.ts'
import { sql } from './people.ts'

export const signIn = (visitor: Browser, name: string, password = goodPassword): Promise<LightMyRequestResponse> =>
  visitor.post('/sign-in', { email: `${name}@larkfield.example`, password })

/** The code of an authenticator app, now or some seconds away: at most 30 are accepted. */
export const codeFrom = (secret: string, seconds = 0) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + seconds * 1000 })

export const codesIn = (page: string) =>
  [...page.matchAll(/data-recovery-code>([A-Z2-7-]{19})</g)].map(([, code]) => code!)

/** Sets an authenticator app up as a person does. Its code of this period is used up then. */
export async function setUpFactor(visitor: Browser): Promise<{ secret: string; codes: string[] }> {
  await visitor.post('/me/second-factor', { act: 'start' })
  const shown = /data-secret>([A-Z2-7 ]+)</.exec((await visitor.get('/me/second-factor')).body)?.[1]
  if (!shown) throw new Error('no secret is shown')
  const secret = shown.replaceAll(' ', '')
  const answer = await visitor.post('/me/second-factor', { act: 'confirm', code: codeFrom(secret) })
  if (answer.statusCode !== 200) throw new Error(`confirming answered ${answer.statusCode}`)
  return { secret, codes: codesIn(answer.body) }
}

/** Who needs a second factor. */
export const rule = (db: Database, secondFactor: 'off' | 'admins' | 'everybody') =>
  db.execute(sql`
    insert into sign_in_settings (id, second_factor) values (1, ${secondFactor})
    on conflict (id) do update set second_factor = excluded.second_factor`)
