package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/multigrade/multigrade/cmd/mgdl/papers"
	"github.com/multigrade/multigrade/mgdl"
)

// A reproduction is one run of mgdl reproduce.
type reproduction struct {
	fast, single, asJSON bool
	waves, epochs        int
	seed                 uint64
	workers              int
	output               string
	out, log             io.Writer
}

// newReproduce makes the command mgdl reproduce.
func newReproduce() *cobra.Command {
	var r reproduction
	var list bool
	cmd := &cobra.Command{
		Use:   "reproduce CASE",
		Short: "Train the published cases, ours beside what was printed",
		Long: `reproduce makes the data of a published experiment, trains as published, with the
paper's layers, start, optimiser, rates and epochs, and prints the error on the test
points after each grade beside the paper's. That can take hours, as it did there;
--epochs trains less.

--fast trains grades of the same widths from another start, for fewer epochs and with
solved readouts, by a rule that looks at the number of rows and inputs only. Where the
paper begins with a sine grade, or there are two inputs, it has one grade of random waves.`,
		Example: `  mgdl reproduce --list
  mgdl reproduce s2 --fast
  mgdl reproduce s2 --waves 768
  mgdl reproduce s2 --epochs 300
  mgdl reproduce s2 --single
  mgdl reproduce image:photo.png --epochs 500`,
		Args: func(cmd *cobra.Command, args []string) error {
			if list && len(args) == 0 {
				return nil
			}
			return exactly("CASE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			r.out, r.log = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if list {
				return listCases(r.out)
			}
			c, err := findCase(cmd, args[0])
			switch {
			case err != nil:
				return err
			case r.workers < 1:
				return usageError(cmd, "--workers %d: want at least 1", r.workers)
			case r.epochs < 0 || r.waves < 0:
				return usageError(cmd, "want a positive number")
			case r.fast && r.single || r.waves > 0 && (r.fast || r.single):
				return usageError(cmd, "--fast, --waves and --single: want one of them")
			}
			if r.output != "" {
				if err := checkOutput(r.output); err != nil {
					return err
				}
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return r.run(ctx, c)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&list, "list", false, "show the cases and what was printed of them")
	f.BoolVar(&r.fast, "fast", false, "our own start and schedule, for grades of the same widths")
	f.IntVar(&r.waves, "waves", 0, "one sine grade of `N` random waves with a solved readout instead")
	f.BoolVar(&r.single, "single", false, "the control: the same layers in a single grade")
	f.IntVar(&r.epochs, "epochs", 0, "train for `N` epochs a grade")
	f.Uint64Var(&r.seed, "seed", 0, "`number` every random choice follows from")
	f.IntVar(&r.workers, "workers", runtime.GOMAXPROCS(0), "`number` of goroutines; the model does not depend on it")
	f.StringVarP(&r.output, "output", "o", "", "also write the model to `FILE`")
	f.BoolVar(&r.asJSON, "json", false, "print a JSON line for each grade")
	return cmd
}

// findCase returns the case of a name, or of a picture.
func findCase(cmd *cobra.Command, name string) (papers.Case, error) {
	path, ok := strings.CutPrefix(name, "image:")
	if !ok {
		c, ok := papers.Find(name)
		if !ok {
			return c, usageError(cmd, "there is no case %q (mgdl reproduce --list shows them)", name)
		}
		return c, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return papers.Case{}, &failure{exitData, pathError(path, err)}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return papers.Case{}, &failure{exitData, pathError(path, err)}
	}
	m, _, err := decodePicture(f, info.Size(), path)
	if err != nil {
		return papers.Case{}, err
	}
	return papers.Picture(m, path)
}

// listCases prints a line for each case.
func listCases(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "case\tdata\tgrades\tpublished test error\tseconds")
	for _, c := range papers.Cases() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", c.Name, c.Title, describePlan(c.Plan), finalError(c.Published), published(c.Published.Seconds))
		if c.Single != nil {
			fmt.Fprintf(t, "\t\t%s\t%s\t%s\n", describePlan(c.Single), finalError(c.Control), published(c.Control.Seconds))
		}
	}
	fmt.Fprintln(t, "image:FILE\ta picture, every second row and column\t4 x relu 128-128, in colours 4 x relu 256-256-256\t24.33 dB (in colours: another picture, on a GPU)\t680")
	return t.Flush()
}

// published writes a figure that may not be there.
func published(x float64) string {
	if x == 0 {
		return "-"
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

func finalError(f papers.Figures) string {
	s := "-"
	if n := len(f.Errors); n > 0 {
		s = published(f.Errors[n-1])
	}
	if f.Note != "" {
		s += " (" + f.Note + ")"
	}
	return s
}

// describePlan names the layers of a plan: "4 x relu 256-256".
func describePlan(plan []mgdl.GradePlan) string {
	var parts []string
	for i := 0; i < len(plan); {
		name := shape(mgdl.GradeInfo{Kind: plan[i].Activation.String(), Hidden: plan[i].Hidden})
		n := 1
		for i+n < len(plan) && shape(mgdl.GradeInfo{Kind: plan[i+n].Activation.String(), Hidden: plan[i+n].Hidden}) == name {
			n++
		}
		if i += n; n > 1 {
			name = fmt.Sprintf("%d x %s", n, name)
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, ", ")
}

// run trains c and prints its table.
func (r *reproduction) run(ctx context.Context, c papers.Case) error {
	plan, figures := c.Plan, c.Published
	set := c.Load()
	switch {
	case r.single && c.Single == nil:
		return &failure{exitUsage, fmt.Errorf("%s: %w", c.Name, papers.ErrNoControl)}
	case r.single:
		plan, figures = c.Single, c.Control
	case r.fast:
		plan = papers.Fast(plan, set.Train.Rows, len(set.Train.Schema.Features))
	case r.waves > 0:
		plan = []mgdl.GradePlan{papers.Waves(r.waves)}
	}
	for i := range plan {
		if r.epochs > 0 && plan[i].Epochs > 0 {
			plan[i].Epochs = r.epochs
		}
	}
	m := meter{w: r.log}
	begin := time.Now()
	seconds := []float64{0} // at the end of each grade
	cfg := mgdl.Config{Plan: plan, Raw: true, Holdout: &set.Val, Seed: r.seed, Workers: r.workers}
	cfg.Progress = func(p mgdl.Progress) {
		if p.Finished == nil {
			m.show(p)
			return
		}
		m.clear()
		seconds = append(seconds, time.Since(begin).Seconds())
	}
	model, err := mgdl.Train(ctx, set.Train, cfg)
	m.clear()
	if err != nil && !(model != nil && errors.Is(err, mgdl.ErrDiverged)) {
		return err
	}
	if err != nil {
		fmt.Fprintln(r.log, errorText(err))
	}
	if r.output != "" {
		if err := mgdl.WriteFile(r.output, model); err != nil {
			return err
		}
	}
	return r.report(c, set, model, figures, seconds)
}

// report prints the errors after each grade beside the published ones.
func (r *reproduction) report(c papers.Case, set papers.Set, model *mgdl.Model, figures papers.Figures, seconds []float64) error {
	var errs [3][]mgdl.Metrics
	for i, d := range []mgdl.Data{set.Train, set.Val, set.Test} {
		var err error
		if errs[i], err = model.Evaluate(d); err != nil {
			return err
		}
	}
	t := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if !r.asJSON {
		fmt.Fprintf(r.out, "%s, %s\n\n", &c, c.Measure())
		fmt.Fprintln(t, "grade\tlayers\ttrain\tvalidation\ttest\tseconds\tpublished\t")
	}
	for g, info := range model.Grades() {
		was := 0.0
		if g < len(figures.Errors) {
			was = figures.Errors[g]
		}
		train, val, test := c.Error(errs[0][g+1]), c.Error(errs[1][g+1]), c.Error(errs[2][g+1])
		spent := seconds[g+1] - seconds[g]
		if r.asJSON {
			err := printJSON(r.out, struct {
				Event     string  `json:"event"`
				Case      string  `json:"case"`
				Grade     int     `json:"grade"`
				Train     number  `json:"train"`
				Val       number  `json:"val"`
				Test      number  `json:"test"`
				Seconds   float64 `json:"seconds"`
				Published float64 `json:"published,omitempty"`
			}{"grade", c.Name, g + 1, number(train), number(val), number(test), spent, was})
			if err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%.1f\t%s\t\n", g+1, shape(info), short(train), short(val), short(test), spent, published(was))
	}
	total := seconds[len(seconds)-1]
	if r.asJSON {
		return printJSON(r.out, struct {
			Event     string  `json:"event"`
			Seconds   float64 `json:"seconds"`
			Published float64 `json:"published_seconds,omitempty"`
		}{"done", total, figures.Seconds})
	}
	fmt.Fprintf(t, "\t\t\t\t\t%.1f\t%s s\t\n", total, published(figures.Seconds))
	if err := t.Flush(); err != nil {
		return err
	}
	if figures.Note != "" {
		fmt.Fprintf(r.out, "\npublished: %s\n", figures.Note)
	}
	return nil
}
