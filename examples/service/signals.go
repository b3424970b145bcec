//go:build !js && !wasip1 && !plan9

package main

import (
	"os"
	"syscall"
)

// reloadSignal is what asks for the model to be read again, nil where there is none.
func reloadSignal() os.Signal { return syscall.SIGHUP }
