package mgdl

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/multigrade/multigrade/kernel"
	"github.com/stretchr/testify/require"
)

// predictOracle returns the prediction of one raw row in float64, straight from the
// definition, and how far float32 may be from it, value by value.
func predictOracle(m *Model, x []float64) (values, bounds []float64) {
	const u = 0x1p-24
	var in, inErr []float64
	for i, c := range m.schema.Features {
		v := x[i]
		if c.Kind == Category {
			hot := make([]float64, len(c.Levels))
			for l := range hot {
				if v == float64(l) || v != v && c.Levels[l] == "" {
					hot[l] = 1
				}
			}
			in = append(in, hot...)
		} else if c.Scale > 0 {
			if v != v {
				v = c.Missing
			}
			in = append(in, min(max((v-c.Mean)/c.Scale, -m.schema.Clip), m.schema.Clip))
		}
	}
	for _, v := range in {
		inErr = append(inErr, 2*u*math.Abs(v))
	}
	// A product of K terms is K roundings in chains, at most 32 more in a tree and one of
	// the bias: |error| ≤ γ(|b| + Σ|x||w|) + Σ e|w|, where γ = nu/(1−nu), n = K + 33.
	product := func(l layer, x, e []float64, relu bool) (y, ye []float64) {
		w := kernel.NewMatrix(l.w.K, l.w.N)
		l.w.Unpack(w)
		gamma := float64(l.w.K+33) * u / (1 - float64(l.w.K+33)*u)
		for n := range l.w.N {
			s, size, carried := float64(l.b[n]), math.Abs(float64(l.b[n])), 0.0
			for k := range x {
				v := float64(w.Row(k)[n])
				s += x[k] * v
				size += (math.Abs(x[k]) + e[k]) * math.Abs(v)
				carried += e[k] * math.Abs(v)
			}
			if relu {
				s = max(s, 0)
			}
			y, ye = append(y, s), append(ye, carried+gamma*size)
		}
		return y, ye
	}
	z, zErr := make([]float64, m.Outputs()), make([]float64, m.Outputs())
	for j, v := range m.prior {
		z[j] = float64(v)
	}
	features, featuresErr := map[int][]float64{}, map[int][]float64{}
	for _, g := range m.grades {
		count := float64(len(g.networks))
		mean, meanErr, size := make([]float64, len(z)), make([]float64, len(z)), make([]float64, len(z))
		for e, n := range g.networks {
			a, ae := in, inErr
			if !g.linear() {
				a, ae = append(append([]float64(nil), in...), features[e]...), append(append([]float64(nil), inErr...), featuresErr[e]...)
				if n.hidden[0].w.K == len(features[e]) {
					a, ae = features[e], featuresErr[e]
				}
			}
			for _, l := range n.hidden {
				a, ae = product(l, a, ae, true)
			}
			if !g.linear() {
				features[e], featuresErr[e] = a, ae
			}
			o, oe := product(n.out, a, ae, false)
			for j := range o {
				mean[j] += o[j] / count
				meanErr[j] += oe[j] / count
				size[j] += math.Abs(o[j]) / count
			}
		}
		for j := range z {
			z[j] += mean[j]
			zErr[j] += meanErr[j] + u*((count+3)*(size[j]+meanErr[j])+math.Abs(z[j])+zErr[j])
		}
	}
	if m.schema.Task == Classification {
		worst, sum := 0.0, 0.0
		for j := range z {
			worst = max(worst, zErr[j])
			sum += math.Exp(z[j])
		}
		for j := range z {
			p := math.Exp(z[j]) / sum
			values, bounds = append(values, p), append(bounds, p*math.Expm1(2*worst)+1e-14)
		}
		return values, bounds
	}
	for j, c := range m.schema.Targets {
		v := min(max(c.Mean+c.Scale*z[j], c.Min), c.Max)
		values = append(values, v)
		bounds = append(bounds, c.Scale*zErr[j]+u*(c.Max-c.Min)+1e-14*math.Abs(v))
	}
	return values, bounds
}

func TestPredictOracle(t *testing.T) {
	for i, f := range forms {
		m := makeModel(t, f, uint64(i))
		p := m.NewPredictor()
		x := makeRows(60, uint64(i))
		got := p.Predict(nil, x)
		tight := 0
		for r := range 60 {
			want, bounds := predictOracle(m, x[r*5:r*5+5])
			for j := range want {
				g := got[r*m.Outputs()+j]
				if !(math.Abs(g-want[j]) <= bounds[j]) {
					t.Fatalf("%v: row %d, output %d is %v, want %v ± %v", f, r, j, g, want[j], bounds[j])
				}
				if bounds[j] < 0.05 {
					tight++
				}
			}
		}
		if tight < 60*m.Outputs()/2 {
			t.Errorf("%v: only %d bounds of %d are below 0.05: they show nothing", f, tight, 60*m.Outputs())
		}
	}
}

// Predictions are the same bits however rows are grouped into calls, on all kernels.
func TestPredictBits(t *testing.T) {
	const rows = 2*batchRows + 3
	for i, f := range forms {
		m := makeModel(t, f, uint64(i))
		x := makeRows(rows, uint64(i))
		g, ok := kernel.Lookup("generic")
		require.True(t, ok)
		want := m.NewPredictorOn(g).Predict(nil, x)
		for _, k := range kernel.Available() {
			for _, size := range []int{1, 2, batchRows - 1, batchRows, batchRows + 1, rows} {
				p := m.NewPredictorOn(k)
				var got []float64
				for at := 0; at < rows; at += size {
					got = p.Predict(got, x[at*5:min(at+size, rows)*5])
				}
				if j := sameBits(got, want); j >= 0 {
					t.Fatalf("%v on %s, %d rows a call: value %d differs", f, k.Name(), size, j)
				}
			}
			p := m.NewPredictorOn(k)
			for r := range rows {
				got, grades := p.PredictWithin(nil, x[r*5:r*5+5], time.Hour)
				if j := sameBits(got, want[r*m.Outputs():(r+1)*m.Outputs()]); j >= 0 || grades != len(m.grades) {
					t.Fatalf("%v on %s: PredictWithin, row %d, value %d differs (%d grades)", f, k.Name(), r, j, grades)
				}
			}
		}
	}
}

// The first k grades are the model of k grades.
func TestPredictGrades(t *testing.T) {
	for i, f := range forms {
		m := makeModel(t, f, uint64(i))
		p := m.NewPredictor()
		for _, rows := range []int{1, batchRows + 1} {
			x := makeRows(rows, uint64(i))
			for k := range len(m.grades) + 1 {
				c, err := m.Truncate(k)
				require.NoError(t, err)
				if j := sameBits(p.PredictGrades(nil, x, k), c.NewPredictor().Predict(nil, x)); j >= 0 {
					t.Fatalf("%v: %d rows, %d grades: value %d differs", f, rows, k, j)
				}
			}
		}
		require.PanicsWithValue(t, "mgdl: number of grades out of range", func() { p.PredictGrades(nil, makeRows(1, 1), len(m.grades)+1) })
		require.PanicsWithValue(t, "mgdl: number of grades out of range", func() { p.PredictGrades(nil, makeRows(1, 1), -1) })
		require.PanicsWithValue(t, "mgdl: length of x is not a multiple of the number of features", func() { p.Predict(nil, make([]float64, 7)) })
	}
}

func TestPredictAppends(t *testing.T) {
	p := makeModel(t, forms[3], 1).NewPredictor()
	got := p.Predict([]float64{7}, makeRows(3, 1))
	if len(got) != 1+3*2 || got[0] != 7 {
		t.Errorf("got %v, want 7 and 6 values", got)
	}
	if got := p.Predict(nil, nil); len(got) != 0 {
		t.Errorf("no rows: got %v", got)
	}
}

func TestPredictRange(t *testing.T) {
	f := form{Regression, 2, true, 0, nil, ""}
	m := makeModel(t, f, 3)
	for i := range m.grades[0].networks[0].out.b {
		m.grades[0].networks[0].out.b[i] = float32(1e6 * (1 - 2*float64(i)))
	}
	got := m.NewPredictor().Predict(nil, makeRows(1, 1))
	c := m.schema.Targets
	if got[0] != c[0].Max || got[1] != c[1].Min {
		t.Errorf("got %v, want exactly %v and %v", got, c[0].Max, c[1].Min)
	}
}

func TestProbabilities(t *testing.T) {
	for i, f := range forms {
		if f.task != Classification {
			continue
		}
		m := makeModel(t, f, uint64(i))
		got := m.NewPredictor().Predict(nil, makeRows(30, 1))
		for r := range 30 {
			sum := 0.0
			for _, v := range got[r*f.outputs : (r+1)*f.outputs] {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("probability %v", v)
				}
				sum += v
			}
			if math.Abs(sum-1) > 1e-15*float64(f.outputs) {
				t.Errorf("probabilities sum to %v", sum)
			}
		}
	}
	dst := make([]float64, 3)
	probabilities(dst, []float32{-3e38, 3e38, 3e38})
	if dst[0] != 0 || dst[1] != 0.5 || dst[2] != 0.5 {
		t.Errorf("extreme logits: %v, want 0, 0.5, 0.5", dst)
	}
}

func TestPredictWithin(t *testing.T) {
	x := makeRows(1, 1)
	for i, f := range forms {
		m := makeModel(t, f, uint64(i))
		p := m.NewPredictor()
		for _, budget := range []time.Duration{-1, 0} {
			got, grades := p.PredictWithin(nil, x, budget)
			want := min(1, len(m.grades))
			if j := sameBits(got, p.PredictGrades(nil, x, want)); j >= 0 || grades != want {
				t.Errorf("%v: without a budget %d grades, want %d; value %d", f, grades, want, j)
			}
		}
	}
	big := makeModel(t, form{Regression, 1, true, 8, [][]int{{64, 64}, {64, 64}}, ""}, 1)
	p := big.NewPredictor()
	if p.segments[1] == 0 || p.segments[2] == 0 {
		t.Fatalf("no looks at the clock: %v", p.segments)
	}
	// A grade that is known to take longer than the budget is left out.
	p.segments[2] = time.Hour
	if _, grades := p.PredictWithin(nil, x, time.Minute); grades != 2 {
		t.Errorf("used %d grades, want 2", grades)
	}
	p.segments[1] = time.Hour
	if _, grades := p.PredictWithin(nil, x, time.Minute); grades != 1 {
		t.Errorf("used %d grades, want 1", grades)
	}
	require.PanicsWithValue(t, "mgdl: PredictWithin takes one row", func() { p.PredictWithin(nil, makeRows(2, 1), 1) })
}

func TestPredictAllocations(t *testing.T) {
	for i, f := range forms {
		m := makeModel(t, f, uint64(i))
		p := m.NewPredictor()
		x := makeRows(200, 1)
		dst := make([]float64, 0, 200*m.Outputs())
		for name, call := range map[string]func(){
			"Predict":       func() { dst = p.Predict(dst[:0], x[:5]) },
			"PredictGrades": func() { dst = p.PredictGrades(dst[:0], x[:5], min(1, len(m.grades))) },
			"PredictWithin": func() { dst, _ = p.PredictWithin(dst[:0], x[:5], time.Second) },
			"many rows":     func() { dst = p.Predict(dst[:0], x) },
		} {
			if n := testing.AllocsPerRun(10, call); n != 0 {
				t.Errorf("%v: %s allocates %v times", f, name, n)
			}
		}
	}
}

// One model serves any number of goroutines, each with its own Predictor.
func TestPredictConcurrently(t *testing.T) {
	m := makeModel(t, forms[5], 1)
	x := makeRows(90, 1)
	want := m.NewPredictor().Predict(nil, x)
	sum := m.share().Checksum()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			p := m.NewPredictor()
			if j := sameBits(p.Predict(nil, x), want); j >= 0 {
				t.Errorf("goroutine %d: value %d differs", g, j)
			}
			if m.Checksum() != sum {
				t.Errorf("goroutine %d: checksum differs", g)
			}
		})
	}
	wg.Wait()
}

// run does the same in pieces and in place as at once, and what is left out is not written.
func TestRun(t *testing.T) {
	const rows, inputs = 23, 8
	for i, f := range forms {
		if f.hidden == nil {
			continue
		}
		m := makeModel(t, f, uint64(i))
		n := &m.grades[len(m.grades)-len(f.hidden)].networks[0]
		h := f.hidden[0][len(f.hidden[0])-1]
		z := kernel.NewMatrix(rows, inputs+h)
		m.schema.encodeRows(z.ColRange(0, inputs), makeRows(rows, 9))
		x := kernel.NewMatrix(rows, inputs)
		m.schema.encodeRows(x, makeRows(rows, 9))

		hidden, out := kernel.NewMatrix(rows, h), kernel.NewMatrix(rows, f.outputs)
		n.run(kernel.Kernel{}, x, hidden, out, newRunScratch(rows, n.width()))
		hidden2, out2 := kernel.NewMatrix(rows, h), kernel.NewMatrix(rows, f.outputs)
		n.run(kernel.Kernel{}, x, hidden2, kernel.Matrix{}, newRunScratch(5, n.width()))
		n.run(kernel.Kernel{}, x, kernel.Matrix{}, out2, newRunScratch(7, n.width()))
		require.Equal(t, hidden, hidden2)
		require.Equal(t, out, out2)
		n.run(kernel.Kernel{}, z.ColRange(0, inputs), z.ColRange(inputs, inputs+h), out2, newRunScratch(1, n.width()))
		require.Equal(t, out, out2)
		for r := range rows {
			require.Equal(t, hidden.Row(r), z.Row(r)[inputs:], "row %d", r)
			require.Equal(t, x.Row(r), z.Row(r)[:inputs], "row %d", r)
		}
		s := newRunScratch(batchRows, n.width())
		if a := testing.AllocsPerRun(5, func() { n.run(kernel.Kernel{}, x, hidden, out, s) }); a != 0 {
			t.Errorf("run allocates %v times", a)
		}
	}
}

func BenchmarkPredict(b *testing.B) {
	for _, c := range []struct {
		name string
		f    form
	}{
		{"1x64x64", form{Regression, 1, false, 1, [][]int{{64, 64}}, ""}},
		{"8x64x64x2", form{Regression, 1, true, 8, [][]int{{64, 64}, {64, 64}}, ""}},
	} {
		m := makeModel(b, c.f, 1)
		for _, rows := range []int{1, 1024} {
			x := makeRows(rows, 1)
			p := m.NewPredictor()
			dst := p.Predict(nil, x)
			b.Run(c.name+map[int]string{1: "/one", 1024: "/many"}[rows], func(b *testing.B) {
				for b.Loop() {
					dst = p.Predict(dst[:0], x)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
			})
		}
	}
}
