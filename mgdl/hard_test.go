package mgdl

import (
	"fmt"
	"math"
	"testing"
)

// hardTable is a regression on columns numbers, of which y = x₁ − 2·x₂ + |x₁|, the second one
// where there is one; spoil changes a row's inputs, and then y is what it was.
func hardTable(rows, columns int, spoil func(s *stream, x []float64)) Data {
	s := newStream(8, shuffleRows, 3000, columns)
	d := Data{Rows: rows, Schema: Schema{Features: plainColumns("x", columns), Targets: plainColumns("y", 1)}}
	for range rows {
		x := make([]float64, columns)
		for j := range x {
			x[j] = s.normal()
		}
		y := x[0] + math.Abs(x[0])
		if columns > 1 {
			y -= float64(2 * x[1])
		}
		if spoil != nil {
			spoil(s, x)
		}
		d.X, d.Y = append(d.X, x...), append(d.Y, y)
	}
	return d
}

// Tables that are hard in the ways real ones are: training is never worse than the prior, and
// better than a bound that says that it has learnt what can be.
func TestHardTables(t *testing.T) {
	cfg := Config{Epochs: 30, Hidden: []int{16}, Chains: 2, Seed: 1}
	for _, c := range []struct {
		name          string
		rows, columns int
		spoil         func(s *stream, x []float64)
		r2            float64
	}{
		{"one column", 200, 1, nil, 0.95},
		{"200 rows", 200, 4, nil, 0.9},
		{"1000 columns", 300, 1000, nil, 0},
		{"a third missing", 600, 4, func(s *stream, x []float64) {
			for j := range x {
				if s.intn(3) == 0 {
					x[j] = math.NaN()
				}
			}
		}, 0.3},
		{"heavy tails", 600, 4, func(s *stream, x []float64) {
			x[2] = 1 / (s.uniform() + 1e-9) // no mean, no variance
			x[3] = float64(x[3] * x[3] * x[3] * x[3] * x[3])
		}, 0.8},
		{"an outlier", 600, 2, func(s *stream, x []float64) {
			if s.intn(600) == 0 {
				x[0] = 1e30
			}
		}, -1e-9}, // its column is lost: one value is all of its deviation
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			train := hardTable(c.rows, c.columns, c.spoil)
			test := hardTable(c.rows+200, c.columns, c.spoil)
			test.X, test.Y, test.Rows = test.X[c.rows*c.columns:], test.Y[c.rows:], 200
			metrics, err := mustTrain(t, train, cfg).Evaluate(test)
			if err != nil {
				t.Fatal(err)
			}
			prior, last := metrics[0], metrics[len(metrics)-1]
			if !(last.R2 > c.r2) || !(last.RMSE <= 1.02*prior.RMSE) {
				t.Errorf("R² is %v, want more than %v; error %v, of the prior %v", last.R2, c.r2, last.RMSE, prior.RMSE)
			}
		})
	}
}

// Classes of very different sizes, and many of them.
func TestHardClasses(t *testing.T) {
	for _, c := range []struct {
		classes int
		share   float64 // of the first class
	}{{2, 0.99}, {2, 0.5}, {100, 0.5}, {100, 0.01}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			s := newStream(9, shuffleRows, 4000, c.classes)
			table := func(rows int) Data {
				d := Data{Rows: rows, Schema: Schema{Task: Classification, Features: plainColumns("x", 2), Targets: []Column{{Name: "c", Kind: Category}}}}
				for i := range c.classes {
					d.Schema.Targets[0].Levels = append(d.Schema.Targets[0].Levels, fmt.Sprint(i))
				}
				for range rows {
					class := 0
					if s.uniform() >= c.share {
						class = 1 + s.intn(c.classes-1)
					}
					// Ten columns and ten rows of clusters.
					d.X = append(d.X, float64(class%10)+float64(0.1*s.normal()), float64(class/10)+float64(0.1*s.normal()))
					d.Y = append(d.Y, float64(class))
				}
				return d
			}
			train, test := table(2000), table(500)
			metrics, err := mustTrain(t, train, Config{Epochs: 30, Hidden: []int{32}, Chains: 2, Seed: 1}).Evaluate(test)
			if err != nil {
				t.Fatal(err)
			}
			prior, last := metrics[0], metrics[len(metrics)-1]
			if !(last.LogLoss < 0.5*prior.LogLoss) || last.Accuracy < prior.Accuracy {
				t.Errorf("log loss %v, accuracy %v; of the prior %v, %v", last.LogLoss, last.Accuracy, prior.LogLoss, prior.Accuracy)
			}
		})
	}
}
