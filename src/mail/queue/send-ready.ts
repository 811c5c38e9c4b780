import type { Outcome } from '../delivery.ts'
import { settlementOf } from '../settlement.ts'
import type { Ready } from './claims.ts'
import { notComposed } from './compose.ts'
import { applyFaultRules } from './fault-rules.ts'
import { hasWork, type Run } from './run.ts'

export function sendReady(run: Run): void {
  while (maySend(run)) {
    const ready = run.claims.next(run.gate.domainPace)
    if (!ready) return
    void sendOne(run, ready)
  }
}

/** Not while the database keeps us from writing how many others ended. */
const maySend = ({ claims, gate, outcomes, deps: { transport } }: Run) =>
  claims.inFlight.size < transport.concurrency + (transport.pipelined ?? 0) &&
  claims.ready.length > 0 &&
  gate.maySend &&
  !outcomes.isFull

async function sendOne(run: Run, ready: Ready) {
  const { claims, outcomes } = run
  ready.startedAt = Date.now()
  claims.inFlight.add(ready)
  const outcome = await attemptOf(run, ready)
  claims.inFlight.delete(ready)
  outcomes.finished.push(settlementOf(ready.delivery, outcome, ready.until))
  applyFaultRules(run, ready.delivery, outcome)
  sendReady(run)
  if (hasWork(run)) run.wake()
}

/** An email that throws must not fail the others, so its bytes are made before the transport sees it. */
async function attemptOf({ deps }: Run, { delivery, mail }: Ready): Promise<Outcome> {
  if (mail.to !== delivery.address || mail.deliveryId !== delivery.id)
    return { is: 'recipient-failed', reply: wrongEnvelope, suppress: false }
  let bytes: Buffer
  try {
    bytes = mail.bytes()
  } catch (error) {
    return { is: 'not-composed', reply: notComposed(deps, delivery, error).reason }
  }
  return deps.transport.send({ ...mail, bytes: () => bytes })
}

const wrongEnvelope = 'The envelope does not match the stored address. Nothing was sent.'
