package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newTrain makes the command mgdl train.
func newTrain() *cobra.Command {
	t := training{recipe: defaultRecipe()}
	var valData, resume string
	cmd := &cobra.Command{
		Use:   "train DATA",
		Short: "Train a model on a table",
		Long: `train learns to predict one column of a table from the others, grade by grade, and
writes the model. It needs no flags: columns with text are categories, missing values
are allowed in every column but the target, and validation on rows held out decides
how many grades are kept.

Ctrl-C writes a checkpoint; train --resume continues from it to the same model as a run
without interruption. A run that takes longer than --checkpoint-every keeps one, so that
no more than this is lost when it is killed.`,
		Example: `  mgdl train houses.csv --target price
  mgdl train houses.tsv --target price --grades 2 --hidden 32,32 -o small.safetensors
  mgdl train - --target price < houses.csv
  mgdl train --resume houses.ckpt`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && resume != "" {
				return nil // the checkpoint knows its data
			}
			return exactly("DATA")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			t.in, t.out, t.log = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			data := ""
			if len(args) > 0 {
				data = args[0]
			}
			if resume != "" {
				if err := t.restore(cmd, resume, &data, &valData); err != nil {
					return err
				}
			}
			if t.Val != 0 && valData != "" {
				return usageError(cmd, "--val and --val-data: want one of the two")
			}
			if t.workers < 1 {
				return usageError(cmd, "--workers %d: want at least 1", t.workers)
			}
			if t.every <= 0 {
				return usageError(cmd, "--checkpoint-every %v: want more than nothing", t.every)
			}
			if err := t.check(cmd); err != nil {
				return err
			}
			comma, err := separator(cmd, t.Sep)
			if err != nil {
				return err
			}
			t.data = table{data, comma, t.in}
			t.valData = table{valData, comma, t.in}
			t.setDefaults()
			return t.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.AddFlagSet(t.flags())
	f.StringVar(&valData, "val-data", "", "validate on the rows of `FILE` instead")
	f.IntVar(&t.workers, "workers", runtime.GOMAXPROCS(0), "`number` of goroutines; the model does not depend on it")
	f.StringVarP(&t.output, "output", "o", "", "write the model to `FILE` (default DATA's name with .safetensors)")
	f.StringVar(&t.checkpoint, "checkpoint", "", "keep a checkpoint in `FILE` while training (default OUTPUT's name with .ckpt, when training takes long)")
	f.DurationVar(&t.every, "checkpoint-every", checkpointEvery, "`time` between checkpoints inside a grade")
	f.StringVar(&resume, "resume", "", "continue from the checkpoint in `FILE`")
	f.StringVar(&t.report, "report", "", "also write an HTML report to `FILE`")
	f.BoolVar(&t.asJSON, "json", false, "print JSON lines: one a grade, one at the end")
	return cmd
}

// setDefaults chooses the paths that were not given.
func (t *training) setDefaults() {
	if t.output == "" {
		t.output = t.data.base() + ".safetensors"
	}
	t.keepCheckpoint = t.checkpoint != ""
	if t.checkpoint == "" {
		t.checkpoint = t.resumeFrom
	}
	if t.checkpoint == "" {
		t.checkpoint = stem(t.output) + ".ckpt"
	}
}

// restore takes from a checkpoint what the command line leaves open, and refuses flags
// that would make another model.
func (t *training) restore(cmd *cobra.Command, path string, data, valData *string) error {
	m, err := readModel(path)
	if err != nil {
		return err
	}
	rec, err := readRecord(m)
	if err != nil {
		return &failure{exitModel, fmt.Errorf("%s: %w", path, err)}
	}
	restored := rec.Recipe
	var changed error
	restored.flags().VisitAll(func(then *pflag.Flag) {
		now := cmd.Flags().Lookup(then.Name)
		if changed == nil && now.Changed && flagText(now) != flagText(then) {
			changed = usageError(cmd, "--%s is %s here but %s in %s: a resumed run keeps its configuration",
				now.Name, describe(flagText(now)), describe(flagText(then)), path)
		}
	})
	if changed != nil {
		return changed
	}
	t.recipe = restored
	t.resume, t.resumeFrom, t.record = m, path, rec
	if *data == "" {
		*data = rec.locate(rec.Data)
	}
	if *valData == "" && rec.ValData != "" {
		*valData = rec.locate(rec.ValData)
	}
	if t.output == "" {
		t.output = rec.locate(rec.Output)
	}
	if t.report == "" && rec.Report != "" {
		t.report = rec.locate(rec.Report)
	}
	return nil
}

// describe names the value of a flag that may be empty.
func describe(value string) string {
	if value == "" || value == "0" {
		return "the default"
	}
	return value
}
