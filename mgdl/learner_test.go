package mgdl

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/multigrade/multigrade/kernel"
)

// A shape is the form of a network that a learnerCase trains; features of the inputs are
// those of a network before it.
type shape struct {
	inputs, features int
	hidden           []int
	outputs          int
}

// A learnerCase is a learner on random rows, with parameters that are all different from
// zero.
func learnerCase(s shape, rows, batch int, classify bool) *learner {
	r := newStream(11, startWeights, 0, 0)
	fill := func(m kernel.Matrix, scale float64) kernel.Matrix {
		for i := range m.Data {
			m.Data[i] = float32(scale * r.normal())
		}
		return m
	}
	t := &table{x: fill(kernel.NewMatrix(rows, s.inputs-s.features), 1), n: rows}
	if classify {
		for range rows {
			t.class = append(t.class, int32(r.intn(s.outputs)))
		}
	} else {
		t.y = fill(kernel.NewMatrix(rows, s.outputs), 1)
	}
	c := &chain{held: span{rows / 4, rows / 2}, sums: fill(kernel.NewMatrix(rows, s.outputs), 0.5)}
	grade := 0
	if s.features > 0 {
		grade = 1
		c.features = fill(kernel.NewMatrix(rows, s.features), 3)
		for i, v := range c.features.Data {
			c.features.Data[i] = v + 2
		}
		c.measure(context.Background(), rows)
	}
	unit := 1.0
	if !classify {
		unit = 0.7
	}
	l := newLearner(kernel.Kernel{}, t, c, &recipe{hidden: s.hidden, chains: 1, workers: 3, batch: batch, rate: 1e-2}, unit, grade)
	l.total = 100
	for _, p := range [...][]float32{l.p.Scale, l.p.B[len(l.p.B)-1], l.p.B[len(l.p.B)-2]} {
		for i := range p {
			p[i] += float32(0.3 * r.normal())
		}
	}
	last := l.p.W[len(l.p.W)-1]
	for k := range last.K {
		for n := range last.N {
			last.Data[last.Index(k, n)] = float32(0.5 * r.normal())
		}
	}
	return l
}

// oracle returns the objective whose gradient a step follows, by plain float64 loops over
// the rows in l.rows: half the mean squared error, or the mean cross-entropy.
func (l *learner) oracle(flat []float64, m int) float64 {
	at := func(part []float32, i int) float64 { // element i of a part of l.p.Flat
		return flat[cap(l.p.Flat)-cap(part)+i]
	}
	total := 0.0
	for i := range m {
		r := int(l.rows[i])
		h := make([]float64, len(l.p.Scale))
		for j := range h {
			if d := l.t.x.Cols; j < d {
				h[j] = float64(l.t.x.Row(r)[j])
			} else {
				h[j] = (float64(l.c.features.Row(r)[j-d]) - float64(l.c.center[j-d])) * float64(l.c.inverse[j-d])
			}
			h[j] *= at(l.p.Scale, j)
		}
		for layer, w := range l.p.W {
			z := make([]float64, w.N)
			for n := range z {
				z[n] = at(l.p.B[layer], n)
				for k := range w.K {
					z[n] += h[k] * at(w.Data, w.Index(k, n))
				}
				if layer < len(l.p.W)-1 {
					z[n] = max(z[n], 0)
				}
			}
			h = z
		}
		if l.t.class != nil {
			sum := 0.0
			for j := range h {
				h[j] += float64(l.c.sums.Row(r)[j])
				sum += math.Exp(h[j])
			}
			total += math.Log(sum) - h[l.t.class[r]]
			continue
		}
		for j, v := range h {
			d := v - (float64(l.t.y.Row(r)[j])-float64(l.c.sums.Row(r)[j]))/l.unit
			total += 0.5 * d * d / float64(len(h))
		}
	}
	return total / float64(m)
}

// Gradients of every parameter against central differences of the oracle, over the ways
// a step can go: one or several slots of rows, features or none, layers that the kernel
// stores by columns, by panels and with a narrow last panel.
func TestGradient(t *testing.T) {
	for _, c := range []struct {
		s        shape
		batch    int
		classify bool
	}{
		{shape{3, 0, []int{5}, 1}, 7, false},
		{shape{3, 0, []int{1}, 2}, 7, false},
		{shape{40, 8, []int{4, 3}, 2}, 9, false},
		{shape{6, 2, []int{35, 6}, 3}, 20, true},
		{shape{4, 0, []int{5, 4}, 2}, 300, false},
		{shape{5, 1, []int{6}, 4}, 1030, true},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			l := learnerCase(c.s, 2*c.batch, c.batch, c.classify)
			l.rows = l.order[:c.batch]
			l.team.Start()
			grad, loss := l.stepper.Gradient(&l.p, l, c.batch)
			l.team.Stop()
			loss /= float64(c.batch)
			flat := make([]float64, len(l.p.Flat))
			for i, v := range l.p.Flat {
				flat[i] = float64(v)
			}
			want := l.oracle(flat, c.batch)
			if !c.classify {
				want *= 2
			}
			if math.Abs(loss-want) > 1e-5*want {
				t.Errorf("loss is %v, want %v", loss, want)
			}
			largest, wrong := 0.0, 0
			for i, v := range flat {
				const h = 1e-5
				flat[i] = v + h
				up := l.oracle(flat, c.batch)
				flat[i] = v - h
				down := l.oracle(flat, c.batch)
				flat[i] = v
				want := (up - down) / (2 * h)
				got := float64(grad.Flat[i])
				largest = max(largest, math.Abs(want))
				// A hinge within h of a row bends the difference: such a parameter may be off
				// by one row's share, and there can only be a few.
				if e := math.Abs(got - want); e > 2e-5*(1+math.Abs(want)) {
					wrong++
					if e > 3/float64(c.batch) || wrong > len(flat)/50 {
						t.Errorf("parameter %d: gradient %v, want %v", i, got, want)
					}
				}
			}
			if largest < 0.01 {
				t.Errorf("the largest gradient is %v: nothing was tested", largest)
			}
		})
	}
}

// A step does not allocate, nor does validation.
func TestStepAllocations(t *testing.T) {
	for _, classify := range []bool{false, true} {
		l := learnerCase(shape{70, 10, []int{32, 32}, 3}, 2000, 256, classify)
		ctx := t.Context()
		if n := testing.AllocsPerRun(20, func() { l.train() }); n != 0 {
			t.Errorf("a step allocates %v times", n)
		}
		if n := testing.AllocsPerRun(20, func() { l.validate(ctx) }); n != 0 {
			t.Errorf("validation allocates %v times", n)
		}
	}
}

// The network made at the end computes on raw features what was validated on
// standardised ones, times the unit.
func TestFold(t *testing.T) {
	l := learnerCase(shape{12, 7, []int{20, 16}, 2}, 400, 40, false)
	for range 60 {
		l.train()
	}
	l.validate(t.Context())
	n := l.network()
	const m = 50
	in := kernel.NewMatrix(m, 12)
	out := outputs{rows: kernel.NewMatrix(m, 2), l: l}
	for i := range m {
		copy(in.Row(i), l.t.x.Row(i))
		copy(in.Row(i)[5:], l.c.features.Row(i))
	}
	l.rows = span{0, m}.appendRows(nil)
	l.stepper.Evaluate(&l.best, out, m)
	got := kernel.NewMatrix(m, 2)
	n.run(l.k, in, kernel.Matrix{}, got, newRunScratch(batchRows, n.width()))
	for i := range m {
		for j, v := range out.rows.Row(i) {
			if want := float64(v) * l.unit; math.Abs(float64(got.Row(i)[j])-want) > 1e-4*(1+math.Abs(want)) {
				t.Fatalf("row %d: output %v, want %v", i, got.Row(i)[j], want)
			}
		}
	}
}

// outputs is a Task that keeps what the network of a learner puts out.
type outputs struct {
	rows kernel.Matrix
	l    *learner
}

func (o outputs) Inputs(in kernel.Matrix, lo int) kernel.Matrix { return o.l.Inputs(in, lo) }

func (o outputs) Loss(out kernel.Matrix, lo int, sum float64) float64 {
	for i := range out.Rows {
		copy(o.rows.Row(lo+i), out.Row(i))
	}
	return sum
}

// Hinges of the first layer lie among the rows: every unit is on for some and off for
// others, however far from the origin the rows are.
func TestStart(t *testing.T) {
	l := learnerCase(shape{3, 0, []int{50, 4}, 1}, 300, 30, false)
	for i := range l.t.x.Data {
		l.t.x.Data[i] += 100
	}
	clear(l.p.Flat)
	l.start(newStream(1, startWeights, 0, 0))
	z := kernel.NewMatrix(l.t.n, 50)
	l.k.MatMul(z, l.t.x, l.p.W[0], l.p.B[0], true)
	same := 0
	for j := range z.Cols {
		on := 0
		for i := range z.Rows {
			if z.Row(i)[j] > 0 {
				on++
			}
		}
		if on == 0 || on == z.Rows {
			same++
		}
	}
	if same > 1 {
		t.Errorf("%d of 50 units are the same for all rows", same)
	}
	for _, v := range l.p.W[2].Data {
		if v != 0 {
			t.Fatal("the readout does not start at zero")
		}
	}
}
