// SPDX-License-Identifier: MIT
// server.js PORT - an HTTP server that ends on SIGTERM, with its exit handlers.
const http = require('http')

const server = http.createServer((request, response) => response.end('node\n'))
server.listen(Number(process.argv[2]), '0.0.0.0')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
