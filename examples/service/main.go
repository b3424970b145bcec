// Command service answers predictions over HTTP from a model that is part of the program,
// or from a file that it watches. README.md says what it answers, and why it is built so.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/multigrade/multigrade/mgdl"
)

// The model was made by: mgdl train demo:diabetes --grades 2 --hidden 32 --chains 2 -o model.safetensors
//
//go:embed model.safetensors
var embedded []byte

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], slog.New(slog.NewTextHandler(os.Stderr, nil)), nil); err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done and the requests under way are answered. It calls listening
// with the address, if that is not nil.
func run(ctx context.Context, args []string, log *slog.Logger, listening func(net.Addr)) error {
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	address := flags.String("listen", "localhost:8080", "`address` to listen on")
	path := flags.String("model", "", "serve the model in `FILE`, and again when it changes, instead of the embedded one")
	poll := flags.Duration("poll", 2*time.Second, "`time` between two looks at the file")
	grace := flags.Duration("grace", 10*time.Second, "`time` that requests under way have at the end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	model, err := mgdl.ReadModel(bytes.NewReader(embedded))
	if *path != "" {
		model, err = mgdl.ReadFile(*path)
	}
	if err != nil {
		return err
	}
	s := NewService(model)
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	if *path != "" {
		go watch(ctx, s, *path, *poll, log)
	}
	log.Info("listening", "address", listener.Addr(), "checksum", model.Checksum())
	if listening != nil {
		listening(listener.Addr())
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	s.Drain() // tells the load balancer; requests that still come are answered
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), *grace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return err
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// watch reloads the file when SIGHUP comes, and when its time or size is another than at
// the last look.
func watch(ctx context.Context, s *Service, path string, poll time.Duration, log *slog.Logger) {
	hup := make(chan os.Signal, 1)
	if s := reloadSignal(); s != nil {
		signal.Notify(hup, s)
		defer signal.Stop(hup)
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	last, _ := os.Stat(path)
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-hup:
			asked = true
		case <-tick.C:
		}
		now, err := os.Stat(path)
		if err == nil && !asked && last != nil && now.ModTime().Equal(last.ModTime()) && now.Size() == last.Size() {
			continue
		}
		last = now
		if err == nil {
			err = s.ReloadFile(path)
		}
		if err != nil {
			log.Error("the model stays what it was", "reason", err)
			continue
		}
		log.Info("new model", "checksum", s.Model().Checksum())
	}
}
