package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

const chirp = "../embed/chirp.safetensors"

func mustRead(t *testing.T, file string) *mgdl.Model {
	t.Helper()
	m, err := mgdl.ReadFile(file)
	require.NoError(t, err)
	return m
}

func TestRun(t *testing.T) {
	m := mustRead(t, chirp)
	p, grades := m.NewPredictor(), len(m.Grades())
	value := func(x float64) string { return fmt.Sprintf("%v,%d\n", p.Predict(nil, []float64{x})[0], grades) }
	var out, log strings.Builder
	in := "0.25\r\n\n x\n0.5,1\n" + strings.Repeat("1", 5000) + "\n 0.75 \n1e-3"
	require.NoError(t, run([]string{chirp, "1h"}, strings.NewReader(in), &out, &log))
	want := value(0.25) + value(math.NaN()) + "\n\n\n" + value(0.75) + value(1e-3)
	require.Equal(t, want, out.String())
	require.Equal(t, "edge: line 3: a field is not a number\nedge: line 4: not as many fields as the model has columns\nedge: line 5: too long\n", log.String())
}

// Without any budget the first grade runs.
func TestBudget(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run([]string{chirp, "0s"}, strings.NewReader("0.5\n"), &out, io.Discard))
	first := mustRead(t, chirp).NewPredictor().PredictGrades(nil, []float64{0.5}, 1)[0]
	require.Equal(t, fmt.Sprintf("%v,1\n", first), out.String())
}

func TestCategories(t *testing.T) {
	for _, name := range []string{"regression", "classification"} {
		m := mustRead(t, "../../mgdl/testdata/v1_"+name+".safetensors")
		s := newStation(m, time.Hour)
		schema := m.Schema()
		var fields []string
		var x []float64
		for _, c := range schema.Features {
			if c.Kind == mgdl.Category {
				fields, x = append(fields, c.Levels[0]), append(x, 0)
			} else {
				fields, x = append(fields, fmt.Sprint(c.Mean)), append(x, c.Mean)
			}
		}
		require.NoError(t, s.read([]byte(strings.Join(fields, ","))))
		require.Equal(t, x, s.x)
		s.answer()
		y := m.NewPredictor().Predict(nil, x)
		require.Equal(t, y, s.y)
		if schema.Task == mgdl.Classification {
			best := 0
			for i := range y {
				if y[i] > y[best] {
					best = i
				}
			}
			require.Equal(t, fmt.Sprintf("%s,%d", schema.Targets[0].Levels[best], len(m.Grades())), string(s.line))
		}
	}
	require.Equal(t, -1.0, level([]string{"a"}, []byte("b")))
}

func TestErrors(t *testing.T) {
	for _, args := range [][]string{{}, {chirp}, {chirp, "soon"}, {"absent", "1ms"}} {
		require.Error(t, run(args, strings.NewReader(""), io.Discard, io.Discard), "%q", args)
	}
	require.Error(t, run([]string{chirp, "1ms"}, strings.NewReader("1\n"), full{}, io.Discard))
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// Nothing is allocated for a line.
func TestAllocations(t *testing.T) {
	for _, c := range []struct{ file, line string }{
		{chirp, "0.123456789012345\n"},
		{chirp, "\n"},
		{"../../mgdl/testdata/v1_classification.safetensors", strings.Repeat(",", len(mustRead(t, "../../mgdl/testdata/v1_classification.safetensors").Schema().Features)-1) + "\n"},
	} {
		s := newStation(mustRead(t, c.file), time.Second)
		lines := strings.NewReader(strings.Repeat(c.line, 500))
		in := bufio.NewReader(lines)
		n := testing.AllocsPerRun(5, func() {
			if _, err := lines.Seek(0, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			in.Reset(lines)
			if err := s.serve(in, io.Discard, io.Discard); err != nil {
				t.Fatal(err)
			}
		})
		require.Zero(t, n, "allocations for 500 lines of %q", c.line)
	}
}
