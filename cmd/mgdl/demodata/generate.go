//go:build ignore

// This program writes chirp.csv: go run generate.go > chirp.csv
package main

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
)

// rows is the length of the table.
const rows = 2000

// noise is the standard deviation of what no model can learn.
const noise = 0.01

// chirp is a function of several scales: a slow trend, two kinks, and an oscillation
// that makes six periods over [0, 1], slowly at first and in the end twelve a unit.
func chirp(x float64) float64 {
	trend := 1.5*x - 0.5
	kinks := 0.8*math.Abs(x-0.3) - 1.2*math.Max(0, x-0.7)
	wave := 0.25 * math.Sin(2*math.Pi*6*x*x)
	return trend + kinks + wave
}

func main() {
	random := rand.New(rand.NewPCG(1, 2))
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	fmt.Fprintln(w, "x,y")
	for range rows {
		x := math.Round(random.Float64()*1e5) / 1e5
		y := chirp(x) + noise*random.NormFloat64()
		fmt.Fprintf(w, "%.5f,%.4f\n", x, y)
	}
}
