//go:build !js

// Command browser makes and serves a page that predicts by itself: a model file is opened
// in the browser, its inputs are moved, the grade is chosen, and the predictor, compiled
// to WebAssembly, answers with the bits that every other machine gives. No file leaves the
// browser.
//
//	go run ./examples/browser                     at http://localhost:8000
//	go run ./examples/browser -o site -serve ""   writes the page, for any web server
package main

import (
	"embed"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

//go:embed page models
var files embed.FS

func main() {
	dir := flag.String("o", "", "directory to write the page to; default: a temporary one")
	address := flag.String("serve", "localhost:8000", "address to serve it at")
	flag.Parse()
	if err := run(*dir, *address); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
}

func run(dir, address string) error {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "browser")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		dir = temporary
	}
	if err := assemble(dir); err != nil {
		return err
	}
	if address == "" {
		return nil
	}
	fmt.Printf("http://%s\n", address)
	return http.ListenAndServe(address, http.FileServer(http.Dir(dir)))
}

// assemble writes all that the page needs to dir.
func assemble(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, path.Base(name)), data, 0o644)
	})
	if err != nil {
		return err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	glue, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "wasm_exec.js"), glue, 0o644); err != nil {
		return err
	}
	wasm, err := filepath.Abs(filepath.Join(dir, "multigrade.wasm"))
	if err != nil {
		return err
	}
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", wasm, "github.com/multigrade/multigrade/examples/browser")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}
