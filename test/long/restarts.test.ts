import t from 'tap'
import { startEmbedded } from '../../src/db/embedded/start.ts'
import { restartUnderLoad } from '../support/database-faults.ts'
import { noMail, stage } from '../support/faults.ts'
import { newFolder, removeFolder, setUpOver } from '../support/server.ts'

t.setTimeout(1_200_000)
t.test('R5: ten restarts of the database under load do not end Rollcall', { timeout: 1_200_000 }, async t => {
  const folder = newFolder()
  let database = await startEmbedded(folder)
  t.teardown(async () => {
    await database.stop()
    removeFolder(folder)
  })
  const { start } = await stage(t, { url: database.url })
  const server = await start(await noMail())
  await setUpOver(server)
  const restart = async () => {
    await database.stop()
    database = await startEmbedded(folder)
  }
  await restartUnderLoad(t, { server, restart, rounds: 10 })
})
