/** A line and an email that kill every worker, in a real process. */
import t from 'tap'
import { batchOf, countsOf } from '../support/batches.ts'
import { mailTo, numbered, stage, startSink, uploadOver, wake } from '../support/faults.ts'
import { setUpOver, until } from '../support/server.ts'

t.test(
  'R21: poison is set aside after three tries with the reason; the process lives and the rest continues',
  async t => {
    const { db, start } = await stage(t)
    const sink = await startSink(t)
    const web = await start({ ROLE: 'web' })
    await setUpOver(web)
    const lines = (await uploadOver(web, numbered(6_000, 'line')))!
    await db.$client`update batch_chunks set line_numbers = 'x' where first_line > 5000`
    const mails = (await uploadOver(web, numbered(100, 'mail')))!
    // a delivery of a kind that no code composes
    await db.$client.unsafe(`
    create function spoil() returns trigger language plpgsql as
      $$ begin if new.address like 'mail7@%' then new.kind = 'unheard-of'; end if; return new; end $$;
    create trigger spoil before insert on deliveries for each row execute function spoil()`)
    const worker = await start({ ROLE: 'worker', ...mailTo(sink.settings.port) })
    const passTime = async () => {
      await db.$client`update batches set lease_until = null where state = 'checking' and lease_until > now() + interval '1 second'`
      await db.$client`update deliveries set next_attempt_at = now() where state = 'deferred'`
      await wake(db)
    }
    await until(async () => {
      await passTime()
      return (await batchOf(db, lines)).state === 'stopped' && (await batchOf(db, mails)).state === 'done'
    }, 40_000)
    t.match((await batchOf(db, lines)).stopReason, 'The next lines failed 3 times.')
    t.match(await countsOf(db, mails), { mails: { sent: 99, failed: 1 } })
    const [failed] = await db.$client`select attempts, server_reply from deliveries where state = 'failed'`
    t.match(failed, {
      attempts: 3,
      serverReply: 'This email could not be composed: There is no composer for emails of the kind "unheard-of"'
    })
    t.equal(sink.taken.filter(({ to }) => to.startsWith('mail')).length, 99)
    t.same(await worker.stop(), { code: 0, signal: null })
    t.notMatch(worker.stderr().join('\n'), /@larkfield/, 'no address in the log')
  }
)
