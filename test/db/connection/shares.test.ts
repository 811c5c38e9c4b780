/** How a process divides its connections, and that the documentation agrees. */
import fs from 'node:fs'
import { test } from 'tap'
import { divide, fewestConnections, type Role, usualConnections } from '../../../src/db/connection/shares.ts'

const roles: Role[] = ['all', 'web', 'worker']

for (const role of roles)
  test(`${role}: every number from the minimum on is divided without remainder, and no part is too small`, async t => {
    for (let connections = fewestConnections(role); connections <= 500; connections += 1) {
      const { web, worker, listen } = divide(connections, role)
      if (web + worker + listen !== connections) t.fail(`${connections} are divided into ${web}, ${worker}, ${listen}`)
      if (web < (role === 'worker' ? 1 : 2)) t.fail(`${web} of ${connections} for pages`)
      if (role === 'web' ? worker + listen > 0 : worker < 2 || listen !== 1)
        t.fail(`${worker} of ${connections} for background work, ${listen} to listen`)
    }
    const usual = { all: [12, 8, 1], web: [12, 0, 0], worker: [1, 8, 1] }[role]
    t.same(Object.values(divide(usualConnections(role), role)), usual)
  })

test('README and docs/database.md name the numbers in use', async t => {
  const [all, web, worker] = roles.map(usualConnections)
  const [leastOfAll, leastOfWeb, leastOfWorker] = roles.map(fewestConnections)
  const read = (name: string) => fs.readFileSync(name, 'utf8').replace(/\s+/g, ' ')
  t.match(
    read('README.md'),
    `${all} (\`web\`: ${web}, \`worker\`: ${worker}) | connections to the database in all, at least ${leastOfAll} (${leastOfWeb}, ${leastOfWorker});`
  )
  t.match(read('docs/database.md'), `| default | ${all} | ${web} | ${worker} |`)
  t.match(read('docs/database.md'), `| least | ${leastOfAll} | ${leastOfWeb} | ${leastOfWorker} |`)
})
