package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl"
)

// What every implementation must give: the SHA-256 of the model files of the cases,
// and that of the bits of their predictions. TestSelftest prints them.
const (
	wantTrain   = "dd99aac1d221cc6c1e3da955ef7c0146208c119138a1ecd8eafb9b6e9b110636"
	wantPredict = "1c4d14fed1d1c2520861e05d6bc6c28220c2c9ab1f2ad09395a8514e79201229"
)

// selftestWorkers is the largest number of goroutines the cases are trained with.
const selftestWorkers = 3

// newSelftest makes the command mgdl selftest.
func newSelftest() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Check that this machine gives the promised bits",
		Long: `selftest trains three small models, writes and reads their files and predicts, on every
implementation that runs here and with one to three workers, and compares hashes of the
files and of the predictions with those that all machines give.`,
		Example: `  mgdl selftest
  mgdl selftest --json`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			hashes, err := selftest(ctx)
			if err != nil {
				return err
			}
			ok := true
			for _, h := range hashes {
				ok = ok && h.ok()
			}
			w := cmd.OutOrStdout()
			if asJSON {
				err := printJSON(w, struct {
					OK     bool   `json:"ok"`
					GOOS   string `json:"goos"`
					GOARCH string `json:"goarch"`
					Hashes []hash `json:"hashes"`
					Want   hash   `json:"want"`
				}{ok, runtime.GOOS, runtime.GOARCH, hashes, hash{Train: wantTrain, Predict: wantPredict}})
				if err != nil {
					return err
				}
			} else {
				fmt.Fprintf(w, "%s/%s\n", runtime.GOOS, runtime.GOARCH)
				for _, h := range hashes {
					verdict := "ok"
					if !h.ok() {
						verdict = "NOT THE PROMISED BITS"
					}
					fmt.Fprintf(w, "%-8s %-11s  train %.16s  predict %.16s  %s\n", h.Kernel, h.workers(hashes), h.Train, h.Predict, verdict)
				}
				fmt.Fprintf(w, "expected               train %.16s  predict %.16s\n", wantTrain, wantPredict)
			}
			if !ok {
				return fmt.Errorf("selftest: this machine does not give the promised bits")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// A hash is what one implementation gave.
type hash struct {
	Kernel  string `json:"kernel,omitempty"`
	Workers int    `json:"workers,omitempty"`
	Train   string `json:"train"`
	Predict string `json:"predict"`
}

// workers says for which numbers of workers h holds.
func (h hash) workers(all []hash) string {
	for _, other := range all {
		if other.Kernel == h.Kernel && other.Workers != h.Workers {
			return fmt.Sprintf("%d workers", h.Workers)
		}
	}
	return fmt.Sprintf("1-%d workers", selftestWorkers)
}

func (h hash) ok() bool { return h.Train == wantTrain && h.Predict == wantPredict }

// selftest runs the cases on every implementation: one hash each, and another for each
// number of workers that changes it.
func selftest(ctx context.Context) ([]hash, error) {
	var hashes []hash
	for _, k := range kernel.Available() {
		var first hash
		for workers := 1; workers <= selftestWorkers; workers++ {
			h, err := selftestOn(ctx, k, workers)
			if err != nil {
				return nil, err
			}
			if workers == 1 {
				first = h
			}
			if workers == 1 || h.Train != first.Train || h.Predict != first.Predict {
				hashes = append(hashes, h)
			}
		}
	}
	return hashes, nil
}

// selftestConfig is how a case is trained: with layers in which every order of sums of
// package kernel occurs, in small batches and in ones that are cut into slots.
func selftestConfig(task mgdl.Task, k kernel.Kernel, workers int) mgdl.Config {
	c := mgdl.Config{
		Grades: 3, Hidden: []int{40, 16}, Chains: 2, Epochs: 12, Batch: 16, Seed: 3,
		Workers: workers, Kernel: k,
	}
	if task == mgdl.Classification {
		c.Batch = 256
	}
	return c
}

// selftestPlan is how the third case is trained: every activation, start, optimiser and way to
// see features that a plan can have, but for those that the recipe has.
func selftestPlan(d mgdl.Data, k kernel.Kernel, workers int) mgdl.Config {
	holdout := d
	holdout.Rows = 64
	holdout.X, holdout.Y = d.X[:64*selftestColumns], d.Y[:64]
	return mgdl.Config{
		Plan: []mgdl.GradePlan{
			{Hidden: []int{24}, Activation: mgdl.Sine, Start: mgdl.StartWaves, Band: 0.5, Normalise: true, Readout: true},
			{Hidden: []int{40, 12}, Start: mgdl.StartRamps, Carry: true, Normalise: true, Readout: true, Epochs: 4, Batch: 48, Rate: 1e-3},
			{Hidden: []int{16, 9}, Activation: mgdl.Sine, Start: mgdl.StartHe, Epochs: 3, Rate: 1e-3, LastRate: 1e-4},
			{Hidden: []int{7}, Start: mgdl.StartHe, Epochs: 5, Optimiser: mgdl.Descent, Rate: 1e-2, LastRate: 1e-3},
		},
		Holdout: &holdout, Seed: 3, Workers: workers, Kernel: k,
	}
}

// selftestOn trains and predicts the cases.
func selftestOn(ctx context.Context, k kernel.Kernel, workers int) (hash, error) {
	files, bits := sha256.New(), sha256.New()
	for i, task := range []mgdl.Task{mgdl.Regression, mgdl.Classification, mgdl.Regression} {
		d := selftestData(task)
		cfg := selftestConfig(task, k, workers)
		if i == 2 {
			cfg = selftestPlan(d, k, workers)
		}
		m, err := mgdl.Train(ctx, d, cfg)
		if err != nil {
			return hash{}, fmt.Errorf("selftest: case %d on %s: %w", i+1, k.Name(), err)
		}
		if i == 2 && len(m.Grades()) != len(cfg.Plan) {
			return hash{}, fmt.Errorf("selftest: %d grades of the plan on %s, want %d", len(m.Grades()), k.Name(), len(cfg.Plan))
		}
		var file bytes.Buffer
		if _, err := m.WriteTo(io.MultiWriter(files, &file)); err != nil {
			return hash{}, err
		}
		if m, err = mgdl.ReadModel(&file); err != nil { // what is read is what predicts
			return hash{}, fmt.Errorf("selftest: %s on %s: %w", task, k.Name(), err)
		}
		p := m.NewPredictorOn(k)
		x := d.X[:64*selftestColumns]
		x = append(x[:len(x):len(x)], math.NaN(), 0.5, -1) // a missing number and an unknown level
		var y []float64
		for g := 0; g <= len(m.Grades()); g++ {
			y = p.PredictGrades(y, x, g)
		}
		for i := 0; i < len(x); i += selftestColumns { // row by row is another path
			y = p.Predict(y, x[i:i+selftestColumns])
		}
		var b []byte
		for _, v := range y {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		bits.Write(b)
	}
	return hash{k.Name(), workers, hex.EncodeToString(files.Sum(nil)), hex.EncodeToString(bits.Sum(nil))}, nil
}

const (
	selftestRows    = 320
	selftestColumns = 3
)

// selftestData makes the rows of a case. All numbers are small multiples of 2^-20, so
// that no operation rounds and the data are the same on every machine.
func selftestData(task mgdl.Task) mgdl.Data {
	d := mgdl.Data{
		Rows: selftestRows,
		Schema: mgdl.Schema{
			Task: task,
			Features: []mgdl.Column{
				{Name: "a"}, {Name: "b"}, {Name: "c", Kind: mgdl.Category, Levels: []string{"one", "three", "two"}},
			},
			Targets: []mgdl.Column{{Name: "y"}},
		},
	}
	if task == mgdl.Classification {
		d.Schema.Targets[0] = mgdl.Column{Name: "y", Kind: mgdl.Category, Levels: []string{"high", "low", "middle"}}
	}
	state := uint64(1)
	next := func() uint64 { // the generator of Knuth's MMIX, high bits
		state = state*6364136223846793005 + 1442695040888963407
		return state >> 33
	}
	for range selftestRows {
		a := float64(next()%1024) / 1024
		b := float64(next()%1024) / 1024
		c := float64(next() % 3)
		y := math.Abs(a-0.5) + a*b/2 + c/4
		if task == mgdl.Classification {
			switch {
			case y > 0.875:
				y = 0
			case y < 0.5:
				y = 1
			default:
				y = 2
			}
		}
		d.X = append(d.X, a, b, c)
		d.Y = append(d.Y, y)
	}
	d.X[0] = math.NaN() // a missing number
	return d
}
