package mgdl

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*(1+math.Abs(b)) }

// Each prefix gets the errors of its own predictions, by the textbook formulas.
func TestEvaluate(t *testing.T) {
	const rows = batchRows + 9
	for i, f := range forms {
		m := makeModel(t, f, uint64(i))
		x := makeRows(rows, 2)
		d := Data{Rows: rows, X: x}
		n := f.outputs
		if f.task == Classification {
			n = 1
		}
		for j := range rows * n {
			if f.task == Classification {
				d.Y = append(d.Y, float64(j%f.outputs))
			} else {
				d.Y = append(d.Y, float64(j*j%17)-3)
			}
		}
		got, err := m.Evaluate(d)
		require.NoError(t, err)
		require.Len(t, got, len(m.grades)+1)
		p := m.NewPredictor()
		for k, g := range got {
			want := Metrics{Grades: k, Rows: rows}
			y := p.PredictGrades(nil, x, k)
			if f.task == Classification {
				for r := range rows {
					row := y[r*f.outputs : (r+1)*f.outputs]
					class, best := int(d.Y[r]), 0
					for c := range row {
						if row[c] > row[best] {
							best = c
						}
					}
					if best == class {
						want.Accuracy += 1.0 / rows
					}
					want.LogLoss -= math.Log(row[class]) / rows
				}
			} else {
				var s, s2, sy float64
				for j := range y {
					mean := 0.0
					for r := range rows {
						mean += d.Y[r*n+j%n] / rows
					}
					e := d.Y[j] - y[j]
					s += e * e
					want.MAE += math.Abs(e) / float64(len(y))
					s2 += (d.Y[j] - mean) * (d.Y[j] - mean)
					sy += d.Y[j] * d.Y[j]
				}
				want.RMSE, want.RSE, want.R2 = math.Sqrt(s/float64(len(y))), s/sy, 1-s/s2
			}
			if g.Grades != k || g.Rows != rows || !near(g.RMSE, want.RMSE) || !near(g.RSE, want.RSE) || !near(g.R2, want.R2) ||
				!near(g.MAE, want.MAE) || !near(g.Accuracy, want.Accuracy) || !near(g.LogLoss, want.LogLoss) {
				t.Errorf("%v, %d grades:\n got %+v\nwant %+v", f, k, g, want)
			}
		}
	}
}

func TestEvaluateExtremes(t *testing.T) {
	m := makeModel(t, forms[0], 1)
	one, err := m.Evaluate(Data{Rows: 1, X: makeRows(1, 1), Y: []float64{0}})
	require.NoError(t, err)
	if !math.IsNaN(one[0].RSE) || !math.IsNaN(one[0].R2) {
		t.Errorf("one row of 0: %+v, want NaN where the divisor is 0", one[0])
	}

	s := testSchema(Regression, 1)
	s.Targets[0] = Column{Name: "y", Mean: 0, Scale: 1e300, Min: -2e300, Max: 2e300}
	huge, err := newModel(s, []float32{0}, GradeInfo{}, nil, nil)
	require.NoError(t, err)
	got, err := huge.Evaluate(Data{Rows: 2, X: makeRows(2, 1), Y: []float64{3e300, -4e300}})
	require.NoError(t, err)
	if g := got[0]; !near(g.RMSE/1e300, math.Sqrt(12.5)) || !near(g.MAE/1e300, 3.5) || !near(g.RSE, 1) || !near(g.R2, 1-25/24.5) {
		t.Errorf("huge values: %+v", g)
	}

	s = testSchema(Classification, 3)
	sure, err := newModel(s, []float32{-1000, 1000, 0}, GradeInfo{}, nil, nil)
	require.NoError(t, err)
	got, err = sure.Evaluate(Data{Rows: 2, X: makeRows(2, 1), Y: []float64{0, 1}})
	require.NoError(t, err)
	if g := got[0]; g.Accuracy != 0.5 || g.LogLoss != 1000 {
		t.Errorf("a sure model: %+v, want half right and a loss of 1000", g)
	}
}

func TestEvaluateErrors(t *testing.T) {
	m := makeModel(t, forms[0], 1)
	ok := Data{Rows: 1, X: makeRows(1, 1), Y: []float64{1}}
	for _, c := range []struct {
		change func(*Data)
		want   string
	}{
		{func(d *Data) { *d = Data{} }, "mgdl: there are no rows to evaluate on"},
		{func(d *Data) { d.Rows = 2 }, "mgdl: X has 5 values, want 2 rows × 5 features"},
		{func(d *Data) { d.Y = []float64{math.NaN()} }, `mgdl: row 1 of 1, column "y0": the target is missing`},
		{func(d *Data) { d.Schema = testSchema(Regression, 2) }, "mgdl: the data has 2 target columns, the model 1"},
	} {
		d := ok
		c.change(&d)
		_, err := m.Evaluate(d)
		require.EqualError(t, err, c.want)
	}
}
