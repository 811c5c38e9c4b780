import type { Config } from '../config/env.ts'
import type { Database } from '../db/client.ts'

export interface Deps {
  config: Config
  db: Database
  /** 32 bytes from which links and sealed secrets are made; never in the database. */
  secretKey: Buffer
  /** Wakes the worker immediately, so that a typed invitation does not wait for its next poll. */
  wake: () => void
}
