package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
)

// A set is generated, or read from a file.
type set struct {
	name         string
	generate     func(r *rand.Rand) (x, y []float64, inputs int)
	file, target string
	log          bool // learn the logarithm of the target
	rows         int  // most rows, 0 for all
}

var sets = []set{
	{name: "sines", generate: sines},
	{name: "friedman", generate: friedman},
	{name: "ridges", generate: ridges},
	{name: "diabetes", file: "sk_diabetes.csv", target: "target"},
	{name: "faithfuld", file: "faithfuld.csv", target: "density"},
	{name: "diamonds", file: "diamonds.csv", target: "price", log: true, rows: 8000},
}

// sines is Σ sin(2πkx + 0.3k²), k = 1 to 5, on [0, 1].
func sines(r *rand.Rand) (x, y []float64, inputs int) {
	for range 850 {
		v := r.Float64()
		s := 0.0
		for k := 1.0; k <= 5; k++ {
			s += math.Sin(2*math.Pi*k*v + 0.3*k*k)
		}
		x, y = append(x, v), append(y, s)
	}
	return x, y, 1
}

// friedman is the first function of Friedman's (1991) with noise of deviation 1 and three
// inputs that do not matter.
func friedman(r *rand.Rand) (x, y []float64, inputs int) {
	for range 3000 {
		v := make([]float64, 8)
		for k := range v {
			v[k] = r.Float64()
		}
		x = append(x, v...)
		y = append(y, 10*math.Sin(math.Pi*v[0]*v[1])+20*(v[2]-0.5)*(v[2]-0.5)+10*v[3]+5*v[4]+r.NormFloat64())
	}
	return x, y, 8
}

// ridges is a sum of kinks and waves of three linear combinations of six correlated inputs, two
// targets.
func ridges(r *rand.Rand) (x, y []float64, inputs int) {
	for range 3000 {
		common := r.NormFloat64()
		v := make([]float64, 6)
		for k := range v {
			v[k] = 0.8*common + 0.6*r.NormFloat64()
		}
		a, b, c := v[0]-v[1], v[2]+v[3]-v[4], v[5]
		x = append(x, v...)
		y = append(y, math.Abs(a)+math.Sin(2*b), math.Max(0, b-0.5)-math.Abs(c)*math.Cos(a))
	}
	return x, y, 6
}

// load returns the set's rows, standardised by the training rows. Categories are numbers, the
// positions of their levels.
func (s set) load(dir string) (t table, err error) {
	var x, y []float64
	var inputs int
	if s.generate != nil {
		x, y, inputs = s.generate(rand.New(rand.NewPCG(1, 1)))
	} else {
		f, err := os.Open(filepath.Join(dir, s.file))
		if err != nil {
			return t, err
		}
		defer f.Close()
		d, _, err := dataset.ReadCSV(f, s.file, dataset.Options{Target: []string{s.target}, Task: "auto"})
		if err != nil {
			return t, err
		}
		x, y, inputs = numbers(d), d.Y, len(d.Schema.Features)
		if s.log {
			for i, v := range y {
				y[i] = math.Log(v)
			}
		}
	}
	rows := len(x) / inputs
	outputs := len(y) / rows
	step := 1
	if s.rows > 0 {
		step = max(1, rows/s.rows) // tables may be sorted
	}
	var list [3][]int
	for i := 0; i < rows; i += step {
		part := train
		switch i / step % 5 {
		case 3:
			part = valid
		case 4:
			part = test
		}
		list[part] = append(list[part], i)
	}
	for part, l := range list {
		t.x[part], t.y[part] = rowsOf(x, inputs, l), rowsOf(y, outputs, l)
	}
	standardise(&t.x)
	standardise(&t.y)
	return t, nil
}

func rowsOf(v []float64, cols int, list []int) kernel.Matrix {
	m := kernel.NewMatrix(len(list), cols)
	for i, r := range list {
		for j := range cols {
			m.Row(i)[j] = float32(v[r*cols+j])
		}
	}
	return m
}

// numbers returns the raw inputs with means in the place of missing values.
func numbers(d mgdl.Data) []float64 {
	cols := len(d.Schema.Features)
	for j := range cols {
		sum, n := 0.0, 0.0
		for i := j; i < len(d.X); i += cols {
			if v := d.X[i]; v == v {
				sum, n = sum+v, n+1
			}
		}
		for i := j; i < len(d.X); i += cols {
			if d.X[i] != d.X[i] {
				d.X[i] = sum / max(n, 1)
			}
		}
	}
	return d.X
}
