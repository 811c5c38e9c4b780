// postgres.js 3.4.9 ends the process, or loses a connection of its pool, when the server goes away at the wrong moment:
// porsager/postgres issues 1066, 1154, 1192, 1208 and 1223, all open. And it leaves a transaction open when too many wait.
// Decision 5 says more. Text that is not found stops set-up: look at what a new version does before taking it.
const fs = require('node:fs')

const folder = 'node_modules/postgres/src'

const inConnection = [
  {
    // a transaction rolls back on a connection that has closed already: the write, a turn later, finds no socket
    from: `      return queryError(q, Errors.generic('COPY_IN_PROGRESS', 'You cannot execute queries during copy'))

    if (q.cancelled)`,
    to: `      return queryError(q, Errors.generic('COPY_IN_PROGRESS', 'You cannot execute queries during copy'))

    if (!socket) {
      queryError(q, Errors.connection('CONNECTION_CLOSED', options))
      return true
    }

    if (q.cancelled)`
  },
  {
    // what was not written yet would stand in front of the next greeting, which then is never sent; the last words of the
    // old server would be the answer to the first question to the new one
    from: `    clearImmediate(nextWriteTimer)
    socket.removeListener('data', data)
    socket.removeListener('connect', connected)
    idleTimer.cancel()`,
    to: `    clearImmediate(nextWriteTimer)
    nextWriteTimer = chunk = errorResponse = null
    socket.removeListener('data', data)
    socket.removeListener('connect', connected)
    idleTimer.cancel()`
  },
  {
    // that roll-back may also come between the error and the end: left in the line, it blocks the next connection for ever
    from: `    !hadError && (query || sent.length) && error(`,
    to: `    ;(query || sent.length) && error(`
  },
  {
    // nobody hears of this query's failure; whoever asked for the connection is told by the connection
    from: '        return fetchArrayTypes()\n',
    to: '        return fetchArrayTypes().catch(() => {})\n'
  },
  {
    // a transaction that begins as the last one that fits into the line was never told its connection: it failed, and
    // left the connection to everybody else inside of a transaction that nobody ends
    from: `        && sent.length < max_pipeline
        && (!q.options.onexecute || q.options.onexecute(connection))
    } catch`,
    to: `        && sent.length < max_pipeline
        && !q.options.onexecute
    } catch`
  },
  {
    from: `      build(q)
      return write(toBuffer(q))`,
    to: `      build(q)
      q.options.onexecute && q.options.onexecute(connection)
      return write(toBuffer(q))`
  },
  {
    // a server that has become a standby stays one: the next connection may find the primary
    from: `    query = results = errorResponse = null
    result = new Result()
    connectTimer.cancel()
`,
    to: `    const isReadOnly = errorResponse && errorResponse.code === '25006'
    query = results = errorResponse = null
    result = new Result()
    connectTimer.cancel()

    if (isReadOnly) {
      onend(connection)
      return socket.destroy()
    }
`
  },
  {
    // a connection that was not granted: those that were may take its query over
    from: '{ onopen = noop, onend = noop, onclose = noop } = {}',
    to: '{ onopen = noop, onend = noop, onclose = noop, onrefused = () => false } = {}'
  },
  {
    from: `    } else {
      errored(Errors.postgres(parseError(x)))
    }`,
    to: `    } else {
      const refusal = Errors.postgres(parseError(x))
      initial && onrefused(connection, initial, refusal)
        ? (initial = null)
        : errored(refusal)
    }`
  }
]

const inPool = [
  {
    from: 'Connection(options, queues, { onopen, onend, onclose }))',
    to: 'Connection(options, queues, { onopen, onend, onclose, onrefused }))'
  },
  {
    from: `      , full = Queue()
      , queues = `,
    to: `      , full = Queue()
      , resting = Queue()
      , queues = `
  },
  {
    from: `  function onclose(c, e) {
    move(c, closed)`,
    to: `  // the server has no connection left for us: those that are open take over, and no other is asked for within ten seconds
  function onrefused(c, query, error) {
    if (error.code !== '53300' && !/no more connections allowed|max clients|connections exceeded/i.test(error.message))
      return false

    options.onrefused && options.onrefused(error)
    const others = open.length + busy.length + full.length + reserved.length + connecting.length - 1
    if (others === 0) {
      while (queries.length)
        queries.shift().reject(error)
      return false
    }

    c.isRefused = true
    while (closed.length)
      rest(closed.shift())
    query.reserve
      ? open.length ? query.reserve(open.shift()) : queries.push(query)
      : handler(query)
    return true
  }

  function rest(c) {
    move(c, resting)
    setTimeout(() => {
      c.queue === resting && move(c, closed)
      queries.length && c.queue === closed && connect(c, queries.shift())
    }, 10000).unref()
  }

  function onclose(c, e) {
    if (c.isRefused) {
      c.isRefused = false
      return rest(c)
    }
    move(c, closed)`
  },
  {
    from: '    onclose         : o.onclose,',
    to: `    onclose         : o.onclose,
    onrefused       : o.onrefused,`
  }
]

/** Mends the driver where it stands, once. */
exports.patchDriver = function patchDriver() {
  patch(`${folder}/connection.js`, inConnection)
  patch(`${folder}/index.js`, inPool)
}

function patch(file, changes) {
  const before = fs.readFileSync(file, 'utf8')
  let text = before
  for (const { from, to } of changes) {
    if (text.includes(to)) continue
    if (text.split(from).length !== 2) throw new Error(`scripts/patch-driver.cjs does not fit ${file}`)
    text = text.replace(from, () => to)
  }
  if (text === before) return
  // moved into place whole: others may read it at the same time
  fs.writeFileSync(`${file}.${process.pid}`, text)
  fs.renameSync(`${file}.${process.pid}`, file)
}
