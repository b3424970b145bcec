// Command convex builds multigrade networks of convex grades, and says for each grade what the
// solves certify, how long they took, and how Adam grades of the same width do on the same features
// and residual: one of the default schedule, and one of as many epochs as -epochs says.
//
//	go run ./bench/convex [-data DIR] [-sets a,b] [-grades 3] [-width 32] [-gates 256] [-tolerance 1e-3]
//	                      [-iterations 20000] [-lambdas 0.1,0.01,0.001] [-epochs 2000] [-trace] [-seed 1] [-workers 1]
//
// The sets sines, friedman and ridges are generated; the tables diabetes, faithfuld and diamonds
// are read from DIR if it has them. Row i, from 0, is a test row if i mod 5 is 4 and a
// validation row if it is 3. Grade 1 sees the standardised inputs; a later one sees these and
// the standardised units of the grade before it, and fits what is left over, at unit RMS.
//
// Errors are shares of the variance of the targets, after the grade, on test rows. The gap is
// that of the slowest of the grade's solves; "of P(0)" relates it to the objective of zero
// coefficients, "of P" to the objective reached. With -trace, each solve is followed by its gaps
// at some iterations.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/convex"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "convex:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	grades int
	epochs int
	trace  bool
	convex convex.Config
}

func run(args []string, out io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("convex", flag.ContinueOnError)
	dir := flags.String("data", filepath.Join("..", "shared", "data"), "folder of the tables")
	only := flags.String("sets", "", "comma-separated names; all if empty")
	lambdas := flags.String("lambdas", "0.1,0.01,0.001", "penalties as shares of λmax, descending")
	flags.IntVar(&s.grades, "grades", 3, "grades")
	flags.IntVar(&s.convex.Width, "width", 32, "most units of a grade")
	flags.IntVar(&s.convex.Gates, "gates", 256, "patterns sampled for a grade")
	flags.Float64Var(&s.convex.Each.Tolerance, "tolerance", 1e-3, "gap to stop at, as a share of P(0)")
	flags.IntVar(&s.convex.Each.Iterations, "iterations", 20000, "most iterations of a solve")
	flags.Uint64Var(&s.convex.Seed, "seed", 1, "seed of gates and of Adam")
	flags.IntVar(&s.convex.Workers, "workers", 1, "goroutines")
	flags.IntVar(&s.epochs, "epochs", 2000, "epochs of the longer Adam schedule")
	flags.BoolVar(&s.trace, "trace", false, "print gaps on the way")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for _, v := range strings.Split(*lambdas, ",") {
		l, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return err
		}
		s.convex.Lambdas = append(s.convex.Lambdas, l)
	}
	for _, set := range sets {
		if *only != "" && !strings.Contains(","+*only+",", ","+set.name+",") {
			continue
		}
		t, err := set.load(*dir)
		if os.IsNotExist(err) {
			fmt.Fprintf(out, "%s: left out, %v\n", set.name, err)
			continue
		}
		if err == nil {
			err = s.measure(out, set.name, t)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", set.name, err)
		}
	}
	return nil
}

// A table is what grades are fitted to and measured on: training, validation and test rows.
type table struct{ x, y [3]kernel.Matrix }

const (
	train = iota
	valid
	test
)

// measure prints a line for each grade of t.
func (s settings) measure(out io.Writer, name string, t table) error {
	fmt.Fprintf(out, "%s: %d rows to train on, %d inputs, %d outputs\n", name, t.x[train].Rows, t.x[train].Cols, t.y[train].Cols)
	fmt.Fprintf(out, "%5s  %-25s %9s %9s %6s %6s %7s  %5s %10s %10s %6s %10s %6s\n", "grade", "certificate", "of P(0)", "of P", "λ/λmax", "iters", "s", "units", "test error", "Adam", "s", "Adam long", "s")
	features, residual := t.x, t.y
	for grade := 1; grade <= s.grades; grade++ {
		unit := rms(residual[train])
		if unit == 0 {
			break
		}
		for i, r := range residual {
			residual[i] = scaled(r, 1/unit)
		}
		var trace strings.Builder
		cfg := s.convex
		start, next := time.Now(), 0
		cfg.Each.Progress = func(c convex.Certificate) {
			if c.Iterations == 0 {
				fmt.Fprintf(&trace, "\n       λ %g:", round(c.Lambda/c.LambdaMax))
				next = 0
			}
			if c.Iterations >= next {
				fmt.Fprintf(&trace, " %d %.1e %.1fs,", c.Iterations, c.Relative(), time.Since(start).Seconds())
				next = 2 * max(c.Iterations, 1)
			}
		}
		held := &convex.Data{X: features[valid], Y: residual[valid]}
		f, err := convex.Fit(context.Background(), convex.Data{X: features[train], Y: residual[train]}, held, cfg)
		if err != nil {
			return err
		}
		seconds := time.Since(start).Seconds()
		worst, iterations := f.Path[0], 0
		for _, p := range f.Path {
			iterations += p.Iterations
			if p.Relative() > worst.Relative() {
				worst = p
			}
		}
		var adam, adamSeconds [2]float64
		for i, epochs := range [...]int{0, s.epochs} {
			start = time.Now()
			if adam[i], err = s.adam(features, residual, epochs); err != nil {
				return err
			}
			adamSeconds[i] = time.Since(start).Seconds()
		}
		var hidden [3]kernel.Matrix
		for i, x := range features {
			subtract(residual[i], f.Predict(kernel.Kernel{}, x))
			hidden[i] = f.Hidden(kernel.Kernel{}, x)
		}
		best := f.Path[f.Best]
		total := energy(t.y[test])
		fmt.Fprintf(out, "%5d  %-25s %9.1e %9.1e %6g %6d %7.1f  %5d %10.4g %10.4g %6.2f %10.4g %6.2f\n", grade, worst.Scope, worst.Relative(), worst.Gap()/worst.Primal,
			round(best.Lambda/best.LambdaMax), iterations, seconds, f.Width(), sum(residual[test])*unit*unit/total, adam[0]*unit*unit/total, adamSeconds[0], adam[1]*unit*unit/total, adamSeconds[1])
		if s.trace {
			fmt.Fprintln(out, strings.TrimPrefix(trace.String(), "\n"))
		}
		for i := range residual {
			residual[i] = scaled(residual[i], unit)
		}
		standardise(&hidden)
		for i, h := range hidden {
			features[i] = joined(t.x[i], h)
		}
	}
	return nil
}

// adam trains one grade of the same width on the same rows, 0 epochs meaning the default, and returns the sum of its squared
// errors on the test rows, or of the residual if no grade was accepted.
func (s settings) adam(x, y [3]kernel.Matrix, epochs int) (float64, error) {
	data := func(i int) mgdl.Data {
		return mgdl.NewData(float64s(x[i]), x[i].Cols, float64s(y[i]), y[i].Cols)
	}
	holdout := data(valid)
	m, err := mgdl.Train(context.Background(), data(train), mgdl.Config{Hidden: []int{s.convex.Width}, Grades: 1, Chains: 1, Epochs: epochs, Holdout: &holdout, Seed: s.convex.Seed, Workers: s.convex.Workers})
	if err != nil {
		return 0, err
	}
	d := data(test)
	metrics, err := m.Evaluate(d)
	if err != nil {
		return 0, err
	}
	last := metrics[len(metrics)-1]
	return last.RMSE * last.RMSE * float64(len(d.Y)), nil
}

func round(x float64) float64 {
	v, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	return v
}

// sum returns Σ v².
func sum(m kernel.Matrix) float64 {
	s := 0.0
	for i := range m.Rows {
		for _, v := range m.Row(i) {
			s += float64(v) * float64(v)
		}
	}
	return s
}

// energy returns Σ (v − mean of its column)².
func energy(m kernel.Matrix) float64 {
	s := 0.0
	for j := range m.Cols {
		mean := 0.0
		for i := range m.Rows {
			mean += float64(m.Row(i)[j])
		}
		mean /= float64(m.Rows)
		for i := range m.Rows {
			d := float64(m.Row(i)[j]) - mean
			s += d * d
		}
	}
	return s
}

func rms(m kernel.Matrix) float64 { return math.Sqrt(sum(m) / float64(m.Rows*m.Cols)) }

func scaled(m kernel.Matrix, by float64) kernel.Matrix {
	r := kernel.NewMatrix(m.Rows, m.Cols)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			r.Row(i)[j] = float32(float64(v) * by)
		}
	}
	return r
}

func subtract(m, o kernel.Matrix) {
	for i := range m.Rows {
		for j, v := range o.Row(i) {
			m.Row(i)[j] -= v
		}
	}
}

func joined(a, b kernel.Matrix) kernel.Matrix {
	m := kernel.NewMatrix(a.Rows, a.Cols+b.Cols)
	for i := range m.Rows {
		copy(m.Row(i)[copy(m.Row(i), a.Row(i)):], b.Row(i))
	}
	return m
}

func float64s(m kernel.Matrix) []float64 {
	var v []float64
	for i := range m.Rows {
		for _, x := range m.Row(i) {
			v = append(v, float64(x))
		}
	}
	return v
}

// standardise gives the columns mean 0 and deviation 1 over the training rows; one that does not
// vary becomes 0.
func standardise(m *[3]kernel.Matrix) {
	t := m[train]
	for j := range t.Cols {
		mean, square := 0.0, 0.0
		for i := range t.Rows {
			mean += float64(t.Row(i)[j])
		}
		mean /= float64(t.Rows)
		for i := range t.Rows {
			d := float64(t.Row(i)[j]) - mean
			square += d * d
		}
		inverse := 0.0
		if d := math.Sqrt(square / float64(t.Rows)); d > 1e-6 {
			inverse = 1 / d
		}
		for _, part := range m {
			for i := range part.Rows {
				part.Row(i)[j] = float32((float64(part.Row(i)[j]) - mean) * inverse)
			}
		}
	}
}
