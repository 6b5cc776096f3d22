// SPDX-License-Identifier: MIT
// npm_server.js URL NAME [COUNT] - a node server that joins with the npm package etcd-registry
// (found through NODE_PATH) once it listens, as the package's users write it.  With COUNT it joins
// that many services, of which one is real.  Like listens.c it prints the port, 0, and when it
// listened (CLOCK_MONOTONIC, nanoseconds).  When all have joined, it prints "joined".
const http = require('http')
const registry = require('etcd-registry')

const [url, name, count] = process.argv.slice(2)
const services = registry(url)
const server = http.createServer((request, response) => response.end('node\n'))

server.listen(0, '127.0.0.1', () => {
  const listened = process.hrtime.bigint()
  const port = server.address().port
  let missing = Number(count || 1)
  console.log(`${port} 0 ${listened}`)
  for (let i = 0; i < Number(count || 1); i++) {
    services.join(name, { port: (port + i) % 65536 || 1, hostname: '127.0.0.1' }, (error) => {
      if (error) throw error
      if (--missing === 0) console.log('joined')
    })
  }
})
process.on('SIGTERM', () => services.leave(name, () => process.exit(0)))
