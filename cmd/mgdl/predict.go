package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
)

// batchRows is how many rows of a file are predicted between two looks for Ctrl-C.
const batchRows = 1024

// newPredict makes the command mgdl predict.
func newPredict() *cobra.Command {
	var p prediction
	var output, sep, sizeText string
	cmd := &cobra.Command{
		Use:   "predict MODEL DATA",
		Short: "Predict the target of each row",
		Long: `predict writes CSV: a header and one line for each row of DATA, in order. Columns of
DATA are matched by name, in any order; others are ignored.

With DATA - the rows are read from standard input and answered one by one.

A model of a picture draws it again, if the output is a .png file: as large as the
picture DATA, or of any --size, without DATA.`,
		Example: `  mgdl predict houses.safetensors new.csv -o prices.csv
  sensor | mgdl predict m.safetensors -
  mgdl predict iris.safetensors new.csv --proba
  mgdl predict camera.safetensors --size 1024x1024 -o camera.png`,
		Args: func(cmd *cobra.Command, args []string) error {
			if sizeText != "" {
				return exactly("MODEL")(cmd, args)
			}
			return exactly("MODEL", "DATA")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			comma, err := separator(cmd, sep)
			if err != nil {
				return err
			}
			var draws size
			if sizeText != "" {
				if draws, err = parseSize(sizeText); err != nil {
					return usageError(cmd, "--size %w", err)
				}
				if !isPNG(output) {
					return usageError(cmd, "--size draws a picture: give its name, -o FILE.png")
				}
			} else {
				p.data = table{args[1], comma, cmd.InOrStdin()}
				if err := p.data.check(); err != nil {
					return err
				}
			}
			if cmd.Flags().Changed("budget") && p.budget <= 0 {
				return usageError(cmd, "--budget %v: want a positive time such as 50us", p.budget)
			}
			if p.model, err = readModel(args[0]); err != nil {
				return err
			}
			if cmd.Flags().Changed("grades") {
				if n := len(p.model.Grades()); p.grades < 0 || p.grades > n {
					return usageError(cmd, "--grades %d: the model has %s", p.grades, count(n, "grade", "grades"))
				}
				if p.model, err = p.model.Truncate(p.grades); err != nil {
					return err
				}
			}
			if output != "" {
				if err := checkOutput(output, p.data.file(), args[0]); err != nil {
					return err
				}
			}
			if isPicture(output) {
				return p.picture(cmd, output, draws)
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			p.used = make([]int, len(p.model.Grades())+1)
			if output == "" {
				err = p.run(ctx, cmd.OutOrStdout())
			} else {
				err = writeAtomic(output, func(w io.Writer) error { return p.run(ctx, w) })
			}
			if err == nil {
				p.usage(cmd.ErrOrStderr())
			}
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&output, "output", "o", "", "write to `FILE`, which is replaced when all is done")
	f.IntVar(&p.grades, "grades", 0, "use the first `K` grades only, 0 for none (default all)")
	f.DurationVar(&p.budget, "budget", 0, "use as many grades as fit in this `time` per row, such as 50us, and at least one")
	f.BoolVar(&p.proba, "proba", false, "add a column p(LABEL) for each class")
	f.BoolVar(&p.asJSON, "json", false, "write a JSON object a line instead of CSV")
	f.StringVar(&sizeText, "size", "", "draw the picture of the model, `WIDTHxHEIGHT` pixels")
	f.StringVar(&sep, "sep", "", sepUsage)
	return cmd
}

func isPNG(path string) bool { return strings.EqualFold(filepath.Ext(path), ".png") }

// picture writes the model's picture, of the given size or, if that is zero, of the size
// of the picture that is the data.
func (p *prediction) picture(cmd *cobra.Command, output string, s size) error {
	switch {
	case !isPNG(output):
		return usageError(cmd, "-o %s: pictures are written as .png", output)
	case !dataset.IsImage(p.model.Schema()):
		return usageError(cmd, "-o %s: the model is not one of a picture", output)
	case p.budget != 0 || p.asJSON || p.proba:
		return usageError(cmd, "-o %s: a picture takes neither --budget nor --json nor --proba", output)
	case s == size{} && !p.data.isPicture():
		return usageError(cmd, "-o %s: give the size of the picture, --size WIDTHxHEIGHT, in the place of DATA", output)
	case s == size{}:
		_, err := p.data.read(reading{picture: func(m image.Image, _ string) error {
			s = size{m.Bounds().Dx(), m.Bounds().Dy()}
			return nil
		}})
		if err != nil {
			return err
		}
	}
	return writeAtomic(output, func(w io.Writer) error { return draw(w, p.model, s) })
}

// A prediction is one run of mgdl predict.
type prediction struct {
	model  *mgdl.Model
	data   table
	grades int           // of the model to use, if given
	budget time.Duration // 0 means none
	proba  bool
	asJSON bool

	predictor *mgdl.Predictor
	y         []float64 // the latest predictions
	grade     int       // with a budget, the grade they are from
	used      []int     // rows by grade, with a budget
}

// run predicts every row of the data and writes the results to w.
func (p *prediction) run(ctx context.Context, w io.Writer) error {
	p.predictor = p.model.NewPredictor()
	if p.data.isStdin() {
		return p.stream(ctx, w)
	}
	d, _, err := p.data.readFor(p.model.Schema(), false)
	if err != nil {
		return err
	}
	rows := p.writer(w)
	features := len(d.Schema.Features)
	for i := 0; i < d.Rows; i += batchRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.write(rows, d.X[i*features:min(i+batchRows, d.Rows)*features]); err != nil {
			return err
		}
	}
	return rows.Flush()
}

// stream answers each row of standard input before it waits for the next one.
func (p *prediction) stream(ctx context.Context, w io.Writer) error {
	waiting := !isRegular(p.data.in) // nobody waits for the answers to a file
	s, err := dataset.NewStream(&contextReader{ctx, p.data.in}, p.data.name(), p.model.Schema(), p.data.comma)
	if err != nil {
		return streamError(err)
	}
	rows := p.writer(w)
	var x []float64
	for {
		if waiting {
			if err := rows.Flush(); err != nil {
				return err
			}
		}
		x, err = s.Next(x[:0])
		if err == io.EOF {
			return rows.Flush()
		}
		if err != nil {
			return cmp.Or(rows.Flush(), streamError(err))
		}
		if err := p.write(rows, x); err != nil {
			return err
		}
	}
}

// streamError gives an error of a stream its exit code.
func streamError(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return &failure{exitData, err}
}

// write predicts the raw rows x and writes the predictions.
func (p *prediction) write(rows rowWriter, x []float64) error {
	if p.budget == 0 {
		p.y = p.predictor.Predict(p.y[:0], x)
		return rows.Write(p.y)
	}
	for features := len(p.model.Schema().Features); len(x) > 0; x = x[features:] {
		p.y, p.grade = p.predictor.PredictWithin(p.y[:0], x[:features], p.budget)
		p.used[p.grade]++
		if err := rows.Write(p.y); err != nil {
			return err
		}
	}
	return nil
}

// usage says how many rows were answered with which grade.
func (p *prediction) usage(w io.Writer) {
	for g, n := range p.used {
		if n > 0 {
			fmt.Fprintf(w, "grade %d: %s\n", g, count(n, "row", "rows"))
		}
	}
}

// A rowWriter takes predictions as a Predictor returns them, one or more rows.
type rowWriter interface {
	Write(values []float64) error
	Flush() error
}

// writer begins the output on w.
func (p *prediction) writer(w io.Writer) rowWriter {
	s := p.model.Schema()
	if !p.asJSON {
		return dataset.NewWriter(w, s, p.proba)
	}
	j := &jsonRows{w: bufio.NewWriter(w), p: p, width: p.model.Outputs()}
	for _, c := range s.Targets {
		j.names = append(j.names, jsonString(c.Name))
	}
	if s.Task == mgdl.Classification {
		for _, label := range s.Targets[0].Levels {
			j.labels = append(j.labels, jsonString(label))
			j.names = append(j.names, jsonString("p("+label+")"))
		}
	}
	return j
}

// jsonRows writes each row as an object: the columns of the CSV by name and, if there is
// a budget, the grade that was used.
type jsonRows struct {
	w             *bufio.Writer
	p             *prediction
	width         int
	names, labels []string // as JSON strings; labels of the classes, if there are classes
}

func (j *jsonRows) Write(values []float64) error {
	for ; len(values) > 0; values = values[j.width:] {
		row, names := values[:j.width], j.names
		if j.labels != nil {
			best := 0
			for c, v := range row {
				if v > row[best] {
					best = c
				}
			}
			fmt.Fprintf(j.w, "{%s:%s", names[0], j.labels[best])
			names = names[1:]
			if !j.p.proba {
				row = nil
			}
		}
		for i, v := range row {
			sep := byte(',')
			if i == 0 && j.labels == nil {
				sep = '{'
			}
			j.w.WriteByte(sep)
			fmt.Fprintf(j.w, "%s:%s", names[i], jsonNumber(v))
		}
		if j.p.budget > 0 {
			fmt.Fprintf(j.w, `,"grade":%d`, j.p.grade)
		}
		if _, err := j.w.WriteString("}\n"); err != nil {
			return err
		}
	}
	return nil
}

func (j *jsonRows) Flush() error { return j.w.Flush() }

// isRegular reports whether r is a file on disk.
func isRegular(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// jsonString quotes s for JSON; a string always has a JSON form.
func jsonString(s string) string {
	quoted, _ := json.Marshal(s)
	return string(quoted)
}

// jsonNumber writes x for JSON, null if it is not finite.
func jsonNumber(x float64) []byte {
	text, _ := number(x).MarshalJSON()
	return text
}
