// Command edge predicts for every line it reads, within a time budget, on a board with
// little memory. It runs until its input ends; after its start it allocates nothing.
//
//	sensor | edge model.safetensors 200us > predictions.csv
//
// A line has the model's columns in their order, separated by commas: numbers, the labels
// of categories, nothing where a value is missing. For each comes a line with the
// predicted values, or the most probable class, and how many grades there was time for. A
// line that cannot be read gets an empty line, and an error with its number.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/multigrade/multigrade/mgdl"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "edge:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out, log io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: edge MODEL BUDGET, as in edge model.safetensors 200us")
	}
	budget, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	model, err := mgdl.ReadFile(args[0])
	if err != nil {
		return err
	}
	return newStation(model, budget).serve(bufio.NewReader(in), out, log)
}

// A station is a model and all the memory its predictions need.
type station struct {
	predictor *mgdl.Predictor
	schema    mgdl.Schema
	budget    time.Duration
	x, y      []float64
	line      []byte
}

func newStation(m *mgdl.Model, budget time.Duration) *station {
	s := &station{predictor: m.NewPredictor(), schema: m.Schema(), budget: budget}
	s.x = make([]float64, len(s.schema.Features))
	s.y = make([]float64, 0, m.Outputs())
	s.line = make([]byte, 0, 32*m.Outputs())
	return s
}

// serve answers line by line: what is read is answered before more is waited for.
func (s *station) serve(in *bufio.Reader, out, log io.Writer) error {
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		tooLong := err == bufio.ErrBufferFull
		for err == bufio.ErrBufferFull {
			_, err = in.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return err
		}
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		s.line = s.line[:0]
		problem := errLong
		if !tooLong {
			problem = s.read(bytes.TrimRight(line, "\r\n"))
		}
		if problem == nil {
			s.answer()
		} else {
			fmt.Fprintf(log, "edge: line %d: %v\n", n, problem)
		}
		s.line = append(s.line, '\n')
		if _, err := out.Write(s.line); err != nil {
			return err
		}
	}
}

// Errors of lines; fixed, since a sensor may send the same nonsense for years.
var (
	errLong   = errors.New("too long")
	errFields = errors.New("not as many fields as the model has columns")
	errNumber = errors.New("a field is not a number")
)

// read sets x from the fields of a line.
func (s *station) read(line []byte) error {
	for i := range s.schema.Features {
		field, rest, more := bytes.Cut(line, []byte{','})
		if more != (i < len(s.x)-1) {
			return errFields
		}
		line = rest
		field = bytes.TrimSpace(field)
		c := &s.schema.Features[i]
		switch {
		case len(field) == 0:
			s.x[i] = math.NaN()
		case c.Kind == mgdl.Category:
			s.x[i] = level(c.Levels, field)
		default:
			v, err := strconv.ParseFloat(string(field), 64)
			if err != nil {
				return errNumber
			}
			s.x[i] = v
		}
	}
	return nil
}

// level is the position of a label, -1 for one that the model has not seen.
func level(levels []string, label []byte) float64 {
	for i, l := range levels {
		if l == string(label) {
			return float64(i)
		}
	}
	return -1
}

// answer appends the prediction for x to the line.
func (s *station) answer() {
	var grades int
	s.y, grades = s.predictor.PredictWithin(s.y[:0], s.x, s.budget)
	if s.schema.Task == mgdl.Classification {
		best := 0
		for i, p := range s.y {
			if p > s.y[best] {
				best = i
			}
		}
		s.line = append(append(s.line, s.schema.Targets[0].Levels[best]...), ',')
	} else {
		for _, v := range s.y {
			s.line = append(strconv.AppendFloat(s.line, v, 'g', -1, 64), ',')
		}
	}
	s.line = strconv.AppendInt(s.line, int64(grades), 10)
}
