// Command tocsin-store is the embedded, MongoDB-compatible document store:
// FerretDB over SQLite behind the real wire protocol, on loopback, in one directory.
//
// usage: tocsin-store -addr 127.0.0.1:27017 -dir .tocsin/store
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:27017", "address to listen on")
	dir := flag.String("dir", "store", "directory that holds the SQLite files")
	flag.Parse()

	if err := os.MkdirAll(*dir, 0o700); err != nil {
		log.Fatalf("store directory: %v", err)
	}
	store, err := ferretdb.New(&ferretdb.Config{
		Listener: ferretdb.ListenerConfig{TCP: *addr},
		Handler:  "sqlite",
		// _txlock=immediate: without it concurrent findAndModify fails with SQLITE_BUSY.
		SQLiteURL: "file:" + *dir + "/?_txlock=immediate",
	})
	if err != nil {
		log.Fatalf("store: %v", err)
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// The parent holds the other end of stdin: when it dies, however it dies, we read EOF and stop.
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		stop()
	}()
	if err := store.Run(ctx); err != nil && ctx.Err() == nil {
		log.Fatalf("store: %v", err)
	}
}
