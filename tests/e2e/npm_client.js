// SPDX-License-Identifier: MIT
// npm_client.js URL join NAME PORT HOSTNAME | list [NAME] | lookup NAME - a client of the npm
// package etcd-registry, found through NODE_PATH.  It prints JSON; join holds the service until
// SIGTERM.
const registry = require('etcd-registry')

const [url, command, name, port, hostname] = process.argv.slice(2)
const services = registry(url)

function print(error, found) {
  if (error) throw error
  console.log(JSON.stringify(found))
  if (command !== 'join') process.exit(0)
}

if (command === 'join') {
  services.join(name, { port: Number(port), hostname }, print)
  process.on('SIGTERM', () => services.leave(name, () => process.exit(0)))
} else {
  const query = command === 'list' ? services.list : services.lookup
  query(name || null, print)
}
