// Command mgdl trains multigrade networks on tables, predicts with them and says what
// they are made of: mgdl --help.
package main

import (
	"context"
	"os"
)

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
