// SPDX-License-Identifier: MIT
// server PORT - an HTTP server that makes its system calls itself, without a libc.  SIGTERM ends it
// with a line and status 3.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

const response = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\ngo\n"

func answer(connection net.Conn) {
	var request [1024]byte

	defer connection.Close()
	if n, _ := connection.Read(request[:]); n > 0 {
		connection.Write([]byte(response))
	}
}

func serve(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go answer(connection)
	}
}

func main() {
	ending := make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGTERM)
	listener, err := net.Listen("tcp", "0.0.0.0:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go serve(listener)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	<-ending
	fmt.Println("ended")
	os.Exit(3)
}
