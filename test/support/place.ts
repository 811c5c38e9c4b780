import type { Test } from 'tap'
import { cloneDatabase, type TestDatabase } from './database.ts'
import { endServers, newFolder, removeFolder } from './server.ts'

export interface Place {
  database: TestDatabase
  data: string
}

/** A database and a data folder for each test of a file, and no process left over. */
export function ownPlace(t: Pick<Test, 'beforeEach' | 'afterEach'>): Place {
  const place = {} as Place
  t.beforeEach(async () => {
    Object.assign(place, { database: await cloneDatabase(), data: newFolder() })
  })
  t.afterEach(async () => {
    await endServers()
    await place.database.drop()
    removeFolder(place.data)
  })
  return place
}
