package mgdl

import (
	"errors"
	"math"
)

// Metrics are the errors of the first Grades grades of a model on some rows. A number
// whose divisor is 0 is NaN, and those of the other task are 0.
type Metrics struct {
	Grades int
	Rows   int

	// Regression, over all targets in their own units: f predicts y.
	RMSE float64 // √mean (y−f)²
	RSE  float64 // Σ(y−f)² / Σy²
	R2   float64 // 1 − Σ(y−f)² / Σ(y−ȳ)², ȳ the mean of each target on these rows
	MAE  float64 // mean |y−f|

	// Classification.
	Accuracy float64 // share of rows whose class is the most probable one, the first of equals
	LogLoss  float64 // mean −log p(class), in nats
}

// Evaluate returns the errors of every prefix of m on the rows of d: element k is the
// model of the first k grades, element 0 the prior. All are computed in one pass; sums
// are in float64, in row order.
//
// d must have the model's columns, names and levels in the same order (or no columns at
// all in its Schema, which means them); otherwise, and if there is no row or a target is
// missing, it returns an error.
func (m *Model) Evaluate(d Data) ([]Metrics, error) {
	if err := m.schema.compatible(d.Schema); err != nil {
		return nil, err
	}
	if err := d.check(m.schema); err != nil {
		return nil, err
	}
	if d.Rows == 0 {
		return nil, errors.New("mgdl: there are no rows to evaluate on")
	}
	p := m.NewPredictor()
	if d.Rows > 1 {
		p.grow(batchRows)
	}
	t := newTally(m, &d)
	f, targets := len(p.encoder.columns), len(m.schema.Targets)
	var raw []float64
	for at := 0; at < d.Rows; at += p.rows {
		rows := min(p.rows, d.Rows-at)
		raw = d.rows(raw, at, at+rows, f)
		p.encoder.encode(p.z, raw)
		p.forward(rows, len(p.steps))
		for i := range rows {
			y := d.Y[(at+i)*targets : (at+i+1)*targets]
			copy(p.acc, m.prior)
			t.add(0, p, y)
			for g := range p.steps {
				p.accumulate(g, i)
				t.add(g+1, p, y)
			}
		}
	}
	return t.metrics(), nil
}

// A tally holds the sums of each prefix. Errors are multiplied by unit, a power of two,
// before they are squared: extreme magnitudes neither overflow nor vanish.
type tally struct {
	task        Task
	rows        int
	unit        float64
	sumY2, devY float64 // Σy², Σ(y−ȳ)², times unit²
	values      float64 // rows × targets
	prefixes    []prefixTally
}

type prefixTally struct {
	squares, abs float64
	hits         int
	logLoss      float64
}

func newTally(m *Model, d *Data) *tally {
	t := &tally{task: m.schema.Task, rows: d.Rows, prefixes: make([]prefixTally, len(m.grades)+1)}
	if t.task == Classification {
		return t
	}
	top := maxAbs(d.Y)
	for _, c := range m.schema.Targets {
		top = max(top, math.Abs(c.Min), math.Abs(c.Max)) // predictions are within them
	}
	t.unit = safeFactor(top)
	t.values = float64(len(d.Y))
	n := len(m.schema.Targets)
	for j := range n {
		sum := 0.0
		for i := j; i < len(d.Y); i += n {
			sum += float64(d.Y[i] * t.unit)
		}
		mean := sum / float64(d.Rows)
		for i := j; i < len(d.Y); i += n {
			y := float64(d.Y[i] * t.unit)
			t.sumY2 += float64(y * y)
			t.devY += float64((y - mean) * (y - mean))
		}
	}
	return t
}

// add counts one row: the outputs in p.acc against its targets.
func (t *tally) add(prefix int, p *Predictor, y []float64) {
	s := &t.prefixes[prefix]
	if t.task == Classification {
		class := int(y[0])
		top, sum := 0, 0.0
		for c, v := range p.acc {
			if v > p.acc[top] {
				top = c
			}
		}
		for _, v := range p.acc {
			sum += expf64(float64(v) - float64(p.acc[top]))
		}
		if top == class {
			s.hits++
		}
		s.logLoss += float64(p.acc[top]) - float64(p.acc[class]) + logf64(sum)
		return
	}
	for j, v := range y {
		e := float64(v*t.unit) - float64(p.outputs[j].value(p.acc[j])*t.unit)
		s.squares += float64(e * e)
		s.abs += math.Abs(e)
	}
}

func (t *tally) metrics() []Metrics {
	ms := make([]Metrics, len(t.prefixes))
	for k := range ms {
		s := &t.prefixes[k]
		ms[k] = Metrics{Grades: k, Rows: t.rows}
		if t.task == Classification {
			ms[k].Accuracy = float64(s.hits) / float64(t.rows)
			ms[k].LogLoss = s.logLoss / float64(t.rows)
			continue
		}
		ms[k].RMSE = math.Sqrt(s.squares/t.values) / t.unit
		ms[k].MAE = s.abs / t.values / t.unit
		ms[k].RSE = ratio(s.squares, t.sumY2)
		ms[k].R2 = 1 - ratio(s.squares, t.devY)
	}
	return ms
}

// ratio returns a/b, NaN if b is 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
