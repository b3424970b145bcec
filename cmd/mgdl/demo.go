package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
)

// newDemo makes the command mgdl demo.
func newDemo() *cobra.Command {
	var dir string
	t := training{recipe: demoRecipe(), every: checkpointEvery}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Train a model on data that comes with the command",
		Long: `demo learns a curve from 2,000 noisy points: a slow trend, two kinks and a chirp. It
prints what each grade achieved and writes demo.safetensors, the model, and demo.html,
the report.`,
		Example: `  mgdl demo
  mgdl demo -o somewhere`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if t.workers < 1 {
				return usageError(cmd, "--workers %d: want at least 1", t.workers)
			}
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return &failure{exitUsage, pathError(dir, err)}
			}
			t.in, t.out, t.log = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			t.data = table{path: demoPrefix + "chirp"}
			t.output = filepath.Join(dir, "demo.safetensors")
			t.report = filepath.Join(dir, "demo.html")
			t.setDefaults()
			if !t.asJSON {
				fmt.Fprintf(t.out, "the same as: %s\n\n", t.command())
			}
			return t.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&dir, "output", "o", ".", "write to the folder `DIR`, which is made if there is none")
	f.IntVar(&t.workers, "workers", runtime.GOMAXPROCS(0), "`number` of goroutines; the model does not depend on it")
	f.BoolVar(&t.asJSON, "json", false, "print JSON lines: one a grade, one at the end")
	return cmd
}

// demoRecipe is how the demo trains: with networks small enough to leave something to
// the next grade, and for one slow core to train in seconds; three of them, so that no grade of
// waves takes their place.
func demoRecipe() recipe {
	r := defaultRecipe()
	r.Grades = 3
	r.Hidden = []int{32, 32}
	r.Chains = 2
	r.Epochs = 80
	return r
}
