/** Workers that stop where a test needs it. */
import { classifyNext } from '../../src/batches/judging/classify.ts'
import { connect, type Database } from '../../src/db/client.ts'

/** Judges and invites until nothing is due; no email is sent. */
export async function judgeAll(db: Database): Promise<void> {
  while (await classifyNext(db));
}

/**
 * Works on the batches until one would get beyond `line`: later statements fail as if the database were down. When it ends,
 * no worker holds the batch.
 */
export async function judgeThrough(db: Database, line: number): Promise<void> {
  const sql = db.$client
  await sql.unsafe(`
    create function stop_here() returns trigger language plpgsql as $$ begin raise exception 'stop here'; end $$;
    create trigger stop_here before update on batches for each row
      when (new.judged > ${line} and new.judged > old.judged or new.sent_through_line > ${line}) execute function stop_here()`)
  await judgeAll(db).catch((error: Error) => {
    if (!String(error.cause).includes('stop here')) throw error
  })
  await sql.unsafe('drop function stop_here cascade')
  await forgetFailures(db)
}

/** As if the leases had expired a while ago. */
export async function forgetFailures(db: Database): Promise<void> {
  await db.$client`update batches set lease_until = null, failures = 0`
}

/** Another process's connection to the same database. */
export async function connectAgain(db: Database, connections = 1): Promise<Database> {
  const [row] = await db.$client`select current_database() as name`
  return connect(process.env.TEST_DATABASE_URL!, { database: row!.name, connections })
}
