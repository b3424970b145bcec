// Command embed predicts with a model that is part of the program: one file to copy to the
// machine that runs it.
//
//	go run ./examples/embed 0.25 0.5 0.75
//
// The model was made by: mgdl train demo:chirp --hidden 16 --chains 1 --epochs 200 -o chirp.safetensors
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/multigrade/multigrade/mgdl"
)

//go:embed chirp.safetensors
var file []byte

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

// run prints the prediction for each argument, after the first grade and after all.
func run(args []string, out io.Writer) error {
	model, err := mgdl.ReadModel(bytes.NewReader(file))
	if err != nil {
		return err
	}
	p := model.NewPredictor() // owns buffers: one for each goroutine
	grades := len(model.Grades())
	var y []float64
	for _, arg := range args {
		x, err := strconv.ParseFloat(arg, 64)
		if err != nil {
			return err
		}
		row := [...]float64{x} // raw features: scaling is part of the model
		y = p.PredictGrades(y[:0], row[:], 1)
		y = p.PredictGrades(y, row[:], grades)
		fmt.Fprintf(out, "x = %g  grade 1: %.4f  grade %d: %.4f\n", x, y[0], grades, y[1])
	}
	return nil
}
