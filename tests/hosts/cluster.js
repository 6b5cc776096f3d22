// SPDX-License-Identifier: MIT
// cluster.js PORT - an HTTP server with one primary, which has the socket, and two workers, which
// it replaces.
'use strict';
const cluster = require('cluster');
const http = require('http');

if (cluster.isPrimary) {
	cluster.fork();
	cluster.fork();
	cluster.on('exit', () => cluster.fork());
	process.on('SIGTERM', () => process.exit(0));
} else {
	http.createServer((request, response) => response.end('cluster\n')).listen(process.argv[2], '0.0.0.0');
}
