package mgdl

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/multigrade/multigrade/kernel"
)

// solveOracle returns the solution of a·x = b by elimination with row exchanges.
func solveOracle(a [][]float64, b []float64) []float64 {
	n := len(b)
	for k := range n {
		p := k
		for i := k; i < n; i++ {
			if math.Abs(a[i][k]) > math.Abs(a[p][k]) {
				p = i
			}
		}
		a[k], a[p], b[k], b[p] = a[p], a[k], b[p], b[k]
		for i := k + 1; i < n; i++ {
			f := a[i][k] / a[k][k]
			for j := k; j < n; j++ {
				a[i][j] -= f * a[k][j]
			}
			b[i] -= f * b[k]
		}
	}
	x := make([]float64, n)
	for k := n - 1; k >= 0; k-- {
		x[k] = b[k]
		for j := k + 1; j < n; j++ {
			x[k] -= a[k][j] * x[j]
		}
		x[k] /= a[k][k]
	}
	return x
}

// ridgeOracle minimises ½·mean (y − x·w − b)² + (λ/2)·Σ (s·w)² over w and b by its normal
// equations in the raw inputs: no shift, no scaling.
func ridgeOracle(x kernel.Matrix, y []float64, lambda float64) []float64 {
	d, n := x.Cols, float64(x.Rows)
	a := make([][]float64, d+1)
	for i := range a {
		a[i] = make([]float64, d+1)
	}
	b := make([]float64, d+1)
	for r := range x.Rows {
		row := []float64{}
		for _, v := range x.Row(r) {
			row = append(row, float64(v))
		}
		row = append(row, 1)
		for i, v := range row {
			for j, w := range row {
				a[i][j] += v * w / n
			}
			b[i] += v * y[r] / n
		}
	}
	for i := range d {
		a[i][i] += lambda * (a[i][i] - a[i][d]*a[i][d])
	}
	return solveOracle(a, b)
}

// linearRows returns rows of correlated inputs far from the origin, and two targets.
func linearRows(n, d int) (x, y kernel.Matrix) {
	s := newStream(6, startWeights, 0, 0)
	x, y = kernel.NewMatrix(n, d), kernel.NewMatrix(n, 2)
	for i := range n {
		common := s.normal()
		for j := range d {
			x.Row(i)[j] = float32(float64(j+1)*(s.normal()+common) + 5)
		}
		y.Row(i)[0] = float32(float64(x.Row(i)[0]) - 0.5*float64(x.Row(i)[1]) + s.normal())
		y.Row(i)[1] = float32(s.normal() + 7)
	}
	return x, y
}

func TestRidge(t *testing.T) {
	x, y := linearRows(90, 6)
	penalties := []float64{1, 1e-2, 1e-6}
	// In two parts, as the folds are.
	m, rest := newMoments(6, 2), newMoments(6, 2)
	targets := func(dst []float32, r int) { copy(dst, y.Row(r)) }
	m.addRows(t.Context(), kernel.Kernel{}, x, span{0, 37}, targets)
	rest.addRows(t.Context(), kernel.Kernel{}, x, span{37, 90}, targets)
	m.add(rest)
	for p, a := range m.ridge(t.Context(), penalties) {
		for o := range 2 {
			column := make([]float64, 90)
			for i := range column {
				column[i] = float64(y.Row(i)[o])
			}
			want := ridgeOracle(x, column, penalties[p])
			for i := range 6 {
				if math.Abs(a.w[i*2+o]-want[i]) > 1e-9*(1+math.Abs(want[i])) {
					t.Errorf("λ %v, target %d: weight %d is %v, want %v", penalties[p], o, i, a.w[i*2+o], want[i])
				}
			}
			if math.Abs(a.b[o]-want[6]) > 1e-8*(1+math.Abs(want[6])) {
				t.Errorf("λ %v, target %d: bias is %v, want %v", penalties[p], o, a.b[o], want[6])
			}
		}
	}
}

// Inputs that do not vary, or repeat another, do no harm.
func TestRidgeDegenerate(t *testing.T) {
	x, y := linearRows(50, 4)
	for i := range x.Rows {
		x.Row(i)[2] = 3
		x.Row(i)[3] = x.Row(i)[0]
	}
	m := newMoments(4, 2)
	m.addRows(t.Context(), kernel.Kernel{}, x, span{0, 50}, func(dst []float32, r int) { copy(dst, y.Row(r)) })
	a := m.ridge(t.Context(), []float64{1e-3})[0]
	if a.w[4] != 0 || a.w[5] != 0 {
		t.Errorf("a constant input has the weights %v", a.w[4:6])
	}
	if math.Abs(a.w[0]-a.w[6]) > 1e-6 || !(math.Abs(a.w[0]) < 10) {
		t.Errorf("equal inputs have the weights %v and %v", a.w[0], a.w[6])
	}
}

// The iterative solution comes close to the exact one.
func TestIterateRegression(t *testing.T) {
	x, y := linearRows(400, 5)
	tr := &trainer{recipe: recipe{workers: 1}, table: table{labels: labels{y: y}, x: x, n: 400}, outputs: 2, prior: make([]float32, 2)}
	c := &chain{held: span{100, 150}}
	penalties := []float64{1e-1, 1e-3}
	m := newMoments(5, 2)
	for _, s := range c.spans(400, 400) {
		m.addRows(t.Context(), tr.k, x, s, func(dst []float32, r int) { copy(dst, y.Row(r)) })
	}
	want := m.ridge(t.Context(), penalties)
	for p, a := range tr.iterate(t.Context(), c, penalties) {
		for i := range a.w {
			if math.Abs(a.w[i]-want[p].w[i]) > 0.02*(0.1+math.Abs(want[p].w[i])) {
				t.Errorf("λ %v: weight %d is %v, want %v", penalties[p], i, a.w[i], want[p].w[i])
			}
		}
	}
}

func TestLinearFitGradient(t *testing.T) {
	x, y := linearRows(120, 4)
	for i := range x.Data {
		x.Data[i] *= 0.1
	}
	class := make([]int32, 120)
	for i := range class {
		class[i] = int32(i % 3)
	}
	for _, c := range []struct {
		name string
		l    labels
		k    int
	}{{"regression", labels{y: y}, 2}, {"classification", labels{class: class}, 3}} {
		t.Run(c.name, func(t *testing.T) {
			tr := &trainer{table: table{labels: c.l, x: x, n: 120}, outputs: c.k, prior: make([]float32, c.k)}
			f := tr.newLinearFit(t.Context(), &chain{held: span{20, 40}})
			f.lambda = 0.3
			s := newStream(8, startWeights, 0, 0)
			point := make([]float64, 4*c.k+c.k)
			for i := range point {
				point[i] = 0.3 * s.normal()
			}
			grad, other := make([]float64, len(point)), make([]float64, len(point))
			f.value(point, grad)
			for i := range point {
				const h = 1e-2
				v := point[i]
				point[i] = v + h
				up := f.value(point, other)
				point[i] = v - h
				down := f.value(point, other)
				point[i] = v
				if want := (up - down) / (2 * h); math.Abs(grad[i]-want) > 1e-4*(1+math.Abs(want)) {
					t.Errorf("element %d of the gradient is %v, want %v", i, grad[i], want)
				}
			}
		})
	}
}

// A quadratic with curvatures from 1 to 1000: the minimum is known.
func TestLBFGS(t *testing.T) {
	const n = 30
	want := make([]float64, n)
	for i := range want {
		want[i] = math.Sin(float64(i))
	}
	calls := 0
	f := func(x, g []float64) float64 {
		calls++
		v := 1.0
		for i := range x {
			c := math.Pow(1000, float64(i)/(n-1))
			d := x[i] - want[i]
			v += 0.5 * c * d * d
			g[i] = c * d
		}
		return v
	}
	x := make([]float64, n)
	lbfgs(x, 200, f)
	if v := f(x, make([]float64, n)); v > 1.0001 {
		t.Errorf("value at the end is %v, the minimum is 1", v)
	}
	if calls > 120 {
		t.Errorf("%d evaluations", calls)
	}
	x = slices.Repeat([]float64{1}, n)
	lbfgs(x, 10, func(_, g []float64) float64 { g[0] = math.NaN(); return math.NaN() })
	if x[3] != 1 {
		t.Error("moved although nothing is finite")
	}
}

// Solved readouts replace trained ones where they are better, and only there.
func TestSolveReadouts(t *testing.T) {
	for _, c := range []struct {
		d      Data
		better bool
	}{{smoothTable(400, 2, 0.01, 5), true}, {noiseTable(300, 5), false}} {
		t.Run(fmt.Sprint(c.better), func(t *testing.T) {
			cfg := Config{Hidden: []int{30, 20}, Chains: 3, Seed: 1, Workers: 2}
			tr, err := newTrainer(t.Context(), c.d, &cfg)
			if err != nil {
				t.Fatal(err)
			}
			trained := &candidate{}
			for _, ch := range tr.chains { // random features, a readout of zeros
				l := newLearner(tr.k, &tr.table, ch, &tr.recipe, 2, 0)
				trained.networks = append(trained.networks, l.network())
			}
			if err := tr.compute(t.Context(), trained, trained.networks, true); err != nil {
				t.Fatal(err)
			}
			trained.mean = average(tr.k, trained.outs)
			if err := tr.assess(t.Context(), trained); err != nil {
				t.Fatal(err)
			}
			solved, err := tr.solveReadouts(t.Context(), trained, 2, readoutPenalties[:], readoutGate)
			if err != nil {
				t.Fatal(err)
			}
			if !c.better {
				if solved != trained {
					t.Errorf("held-out loss goes from %v to %v on noise", mean(trained.held), mean(solved.held))
				}
				return
			}
			if solved.trainLoss > 0.5*trained.trainLoss || mean(solved.held) > 0.5*mean(trained.held) {
				t.Errorf("training loss goes from %v to %v, held-out loss from %v to %v",
					trained.trainLoss, solved.trainLoss, mean(trained.held), mean(solved.held))
			}
			// Its losses are those of its networks.
			again := &candidate{networks: solved.networks}
			if err := tr.compute(t.Context(), again, again.networks, true); err != nil {
				t.Fatal(err)
			}
			again.mean = average(tr.k, again.outs)
			if err := tr.assess(t.Context(), again); err != nil {
				t.Fatal(err)
			}
			if again.trainLoss != solved.trainLoss || !slices.Equal(again.held, solved.held) {
				t.Error("the losses are not those of the networks")
			}
			// The first chain's readout is the least-squares solution for one of the penalties.
			ch := tr.chains[0]
			own := kernel.NewMatrix(tr.n-(ch.held.hi-ch.held.lo), ch.features.Cols)
			y := make([]float64, 0, own.Rows)
			for _, s := range ch.spans(tr.n, tr.n) {
				for i := s.lo; i < s.hi; i++ {
					copy(own.Row(len(y)), ch.features.Row(i))
					y = append(y, float64(tr.y.Row(i)[0]))
				}
			}
			l := solved.networks[0].out
			closest := math.Inf(1)
			for _, lambda := range readoutPenalties {
				worst := 0.0
				want := ridgeOracle(own, y, lambda)
				for k := range l.w.K {
					worst = max(worst, math.Abs(float64(l.w.Data[l.w.Index(k, 0)])-want[k]))
				}
				closest = min(closest, worst)
			}
			if closest > 1e-4 {
				t.Errorf("the readout is %v from the nearest least-squares solution", closest)
			}
		})
	}
}
