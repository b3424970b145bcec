// Command quality trains the default configuration on the acceptance tables and prints
// its test error beside the baselines measured for them.
//
//	go run ./bench/quality [-data DIR] [-sets a,b] [-seeds 0,1,2] [-workers N]
//
// DIR holds the tables, which are not part of the repository. Row i, from 0, is a test row
// if i mod 5 is 4; of the image, reduced to 128×128 pixels by means of 4×4, if row +
// column is odd. Everything else is left to the defaults of mgdl.Train.
package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	_ "image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
)

// A set is one table and what others reach on it: a linear model, scikit-learn's MLP,
// gradient boosting (test error, or accuracy for classes, or decibels for the image).
type set struct {
	name, file, target     string
	log                    bool // learn the logarithm of the target
	linear, mlp, boosting  float64
	linearIsNone, decibels bool
}

var sets = []set{
	{name: "diabetes", file: "sk_diabetes.csv", target: "target", linear: 57.38, mlp: 57.94, boosting: 63.95},
	{name: "ames", file: "md_ames.csv", target: "Sale_Price", log: true, linear: 0.1191, mlp: 0.1252, boosting: 0.1117},
	{name: "digits", file: "sk_digits.csv", target: "target", linear: 0.9638, mlp: 0.9694, boosting: 0.9694},
	{name: "faithfuld", file: "faithfuld.csv", target: "density", linear: 0.00757, mlp: 3.03e-4, boosting: 9.33e-4},
	{name: "letter", file: "letterrecognition.csv", target: "lettr", linear: 0.7700, mlp: 0.9530, boosting: 0.9640},
	{name: "diamonds", file: "diamonds.csv", target: "price", log: true, linear: 0.1747, mlp: 0.0991, boosting: 0.0958},
	{name: "camera", file: "img_camera.png", linearIsNone: true, mlp: 21.57, boosting: 25.89, decibels: true},
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("quality", flag.ContinueOnError)
	dir := flags.String("data", filepath.Join("..", "shared", "data"), "folder of the tables")
	only := flags.String("sets", "", "comma-separated names; all if empty")
	seedList := flags.String("seeds", "0,1,2", "comma-separated seeds")
	workers := flags.Int("workers", 1, "goroutines")
	profile := flags.String("cpuprofile", "", "write a CPU profile to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var seeds []uint64
	for _, s := range strings.Split(*seedList, ",") {
		v, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return err
		}
		seeds = append(seeds, v)
	}
	fmt.Fprintf(out, "%-10s %6s %5s  %-8s %-24s %-8s %-8s %-8s  %s\n", "set", "rows", "cols", "measure", "mean (range) of seeds", "linear", "mlp", "boosting", "fit s")
	for _, s := range sets {
		if *only != "" && !strings.Contains(","+*only+",", ","+s.name+",") {
			continue
		}
		if err := s.measure(out, *dir, seeds, *workers); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// measure trains on s for each seed and prints one line, and one for each prefix of the
// last model.
func (s set) measure(out io.Writer, dir string, seeds []uint64, workers int) error {
	train, test, err := s.load(dir)
	if err != nil {
		return err
	}
	lo, hi, sum, seconds := math.Inf(1), math.Inf(-1), 0.0, 0.0
	measure := "rmse"
	var prefixes []string
	for _, seed := range seeds {
		start := time.Now()
		m, err := mgdl.Train(context.Background(), train, mgdl.Config{Seed: seed, Workers: workers})
		if err != nil {
			return err
		}
		seconds += time.Since(start).Seconds()
		metrics, err := m.Evaluate(test)
		if err != nil {
			return err
		}
		prefixes = prefixes[:0]
		var v float64
		for _, q := range metrics {
			switch {
			case s.decibels:
				measure, v = "dB", -20*math.Log10(q.RMSE)
			case train.Schema.Task == mgdl.Classification:
				measure, v = "accuracy", q.Accuracy
			default:
				v = q.RMSE
			}
			prefixes = append(prefixes, fmt.Sprintf("%.4g", v))
		}
		sum += v
		lo, hi = min(lo, v), max(hi, v)
	}
	n := float64(len(seeds))
	linear := fmt.Sprintf("%.4g", s.linear)
	if s.linearIsNone {
		linear = "-"
	}
	fmt.Fprintf(out, "%-10s %6d %5d  %-8s %-24s %-8s %-8.4g %-8.4g  %.1f\n", s.name, train.Rows+test.Rows, len(train.Schema.Features), measure,
		fmt.Sprintf("%.4g (%.4g to %.4g)", sum/n, lo, hi), linear, s.mlp, s.boosting, seconds/n)
	fmt.Fprintf(out, "%-10s prior and grades of the last seed: %s\n", "", strings.Join(prefixes, ", "))
	return nil
}

// load reads the set and splits it.
func (s set) load(dir string) (train, test mgdl.Data, err error) {
	var d mgdl.Data
	path := filepath.Join(dir, s.file)
	isTest := func(i int) bool { return i%5 == 4 }
	if s.decibels {
		if d, err = loadImage(path); err != nil {
			return train, test, err
		}
		isTest = func(i int) bool { return (i/128+i%128)%2 == 1 }
	} else {
		f, err := os.Open(path)
		if err != nil {
			return train, test, err
		}
		defer f.Close()
		task := "auto"
		if s.name == "digits" {
			task = "classify"
		}
		if d, _, err = dataset.ReadCSV(f, s.file, dataset.Options{Target: []string{s.target}, Task: task}); err != nil {
			return train, test, err
		}
	}
	if s.log {
		for i := range d.Y {
			d.Y[i] = math.Log(d.Y[i])
		}
	}
	train.Schema, test.Schema = d.Schema, d.Schema
	features, targets := len(d.Schema.Features), len(d.Schema.Targets)
	for i := range d.Rows {
		p := &train
		if isTest(i) {
			p = &test
		}
		p.Rows++
		p.X = append(p.X, d.X[i*features:(i+1)*features]...)
		p.Y = append(p.Y, d.Y[i*targets:(i+1)*targets]...)
	}
	return train, test, nil
}

// loadImage reads a grey image of 512×512 as a table of (row, column) and intensity in
// [0, 1], reduced to 128×128.
func loadImage(path string) (mgdl.Data, error) {
	f, err := os.Open(path)
	if err != nil {
		return mgdl.Data{}, err
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		return mgdl.Data{}, err
	}
	var x, y []float64
	for r := range 128 {
		for c := range 128 {
			sum := 0.0
			for i := range 16 {
				sum += float64(color.GrayModel.Convert(img.At(4*c+i%4, 4*r+i/4)).(color.Gray).Y)
			}
			x = append(x, float64(r), float64(c))
			y = append(y, sum/16/255)
		}
	}
	return mgdl.NewData(x, 2, y, 1), nil
}
