import type { Config } from '../config/env.ts'
import type { Database } from '../db/client.ts'

/** What every route needs: passed as an argument, never looked up. */
export interface Deps {
  config: Config
  db: Database
  /** 32 bytes that links and secrets at rest are made with; never in the database. */
  secretKey: Buffer
  /** Wakes the worker at once, so that a typed invitation does not wait for its next look. */
  wake: () => void
}
