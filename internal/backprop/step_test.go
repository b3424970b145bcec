package backprop

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/multigrade/multigrade/kernel"
)

// regression is a Task: half the mean squared error of random rows.
type regression struct {
	x, y kernel.Matrix
}

func newRegression(rows, inputs, outputs int) *regression {
	r := rand.New(rand.NewPCG(1, 2))
	t := &regression{kernel.NewMatrix(rows, inputs), kernel.NewMatrix(rows, outputs)}
	for _, m := range []kernel.Matrix{t.x, t.y} {
		for i := range m.Data {
			m.Data[i] = float32(r.NormFloat64())
		}
	}
	return t
}

func (t *regression) Inputs(in kernel.Matrix, lo int) kernel.Matrix {
	for i := range in.Rows {
		copy(in.Row(i), t.x.Row(lo+i))
	}
	return in
}

func (t *regression) Loss(out kernel.Matrix, lo int, sum float64) float64 {
	scale := 1 / float32(t.x.Rows)
	for i := range out.Rows {
		row := out.Row(i)
		for j, y := range t.y.Row(lo + i) {
			d := row[j] - y
			sum += 0.5 * (float64(d) * float64(d))
			row[j] = d * scale
		}
	}
	return sum
}

func (s Shape) random(seed uint64) Parameters {
	r := rand.New(rand.NewPCG(seed, 3))
	p := s.Parameters()
	for i, w := range p.W {
		for k := range w.K {
			for n := range w.N {
				w.Data[w.Index(k, n)] = float32(r.NormFloat64() * math.Sqrt(2/float64(w.K)))
			}
		}
		for n := range p.B[i] {
			p.B[i][n] = float32(0.1 * r.NormFloat64())
		}
	}
	for i := range p.Scale {
		p.Scale[i] = float32(1 + 0.1*r.NormFloat64())
	}
	return p
}

var shapes = []Shape{
	{Inputs: 3, Hidden: []int{8}, Outputs: 1},
	{Inputs: 2, Hidden: []int{33, 17}, Outputs: 3, Scaled: true},
	{Inputs: 40, Hidden: []int{64, 64}, Outputs: 1, Scaled: true},
	{Inputs: 5, Hidden: []int{12, 70, 9}, Outputs: 11},
	{Inputs: 4, Outputs: 2, Scaled: true},
	{Inputs: 3, Hidden: []int{20, 9}, Outputs: 2, Scaled: true, Sine: true},
	{Inputs: 2, Hidden: []int{64}, Outputs: 1, Sine: true},
}

// TestGradient compares with central differences of a loss in float64, along random
// directions.
func TestGradient(t *testing.T) {
	for _, s := range shapes {
		for _, m := range []int{1, 7, 200, 300} {
			task := newRegression(m, s.Inputs, s.Outputs)
			p := s.random(5)
			st := NewStepper(kernel.Kernel{}, s, m, nil)
			g, sum := st.Gradient(&p, task, m)
			base := exactLoss(s, &p, nil, 0, task)
			if d := math.Abs(sum/float64(m) - base); d > 1e-5*(1+base) {
				t.Fatalf("%v, %d rows: loss %g, want %g", s, m, sum/float64(m), base)
			}
			r := rand.New(rand.NewPCG(7, 8))
			for range 5 {
				dir := s.Parameters() // padding stays zero, as in the gradient
				for i, w := range dir.W {
					for k := range w.K {
						for n := range w.N {
							w.Data[w.Index(k, n)] = float32(r.NormFloat64())
						}
					}
					for n := range dir.B[i] {
						dir.B[i][n] = float32(r.NormFloat64())
					}
				}
				for i := range dir.Scale {
					dir.Scale[i] = float32(r.NormFloat64())
				}
				want, norm := 0.0, 0.0
				const h = 1e-6 // small enough to cross hardly any kink of a ReLU
				want = (exactLoss(s, &p, &dir, h, task) - exactLoss(s, &p, &dir, -h, task)) / (2 * h)
				got := 0.0
				for i, v := range g.Flat {
					got += float64(v) * float64(dir.Flat[i])
					norm += math.Abs(float64(v) * float64(dir.Flat[i]))
				}
				if math.Abs(got-want) > 1e-3*norm+1e-6 {
					t.Fatalf("%v, %d rows: slope %g, want %g (scale %g)", s, m, got, want, norm)
				}
			}
		}
	}
}

// exactLoss is the mean loss in float64 at p + h·dir.
func exactLoss(s Shape, p, dir *Parameters, h float64, task *regression) float64 {
	at := func(v, d []float32, i int) float64 {
		if dir == nil {
			return float64(v[i])
		}
		return float64(v[i]) + h*float64(d[i])
	}
	if dir == nil {
		z := s.Parameters()
		dir2 := z
		return lossAt(s, p, &dir2, at, task)
	}
	return lossAt(s, p, dir, at, task)
}

func lossAt(s Shape, p, dir *Parameters, at func(v, d []float32, i int) float64, task *regression) float64 {
	sum := 0.0
	for r := range task.x.Rows {
		var a []float64
		for i, v := range task.x.Row(r) {
			f := 1.0
			if s.Scaled {
				f = at(p.Scale, dir.Scale, i)
			}
			a = append(a, f*float64(v))
		}
		for l, w := range p.W {
			b := make([]float64, w.N)
			for n := range b {
				b[n] = at(p.B[l], dir.B[l], n)
				for k, v := range a {
					b[n] += v * at(w.Data, dir.W[l].Data, w.Index(k, n))
				}
				switch {
				case l == len(p.W)-1:
				case s.Sine:
					b[n] = math.Sin(b[n])
				default:
					b[n] = max(b[n], 0)
				}
			}
			a = b
		}
		for j, y := range task.y.Row(r) {
			d := a[j] - float64(y)
			sum += d * d / 2
		}
	}
	return sum / float64(task.x.Rows)
}

// TestWorkers: the same bits for any number of workers and on every implementation.
func TestWorkers(t *testing.T) {
	for _, s := range shapes {
		for _, m := range []int{1, 100, 255, 256, 300, 1024, 1500, 2048, 3001} {
			task := newRegression(m, s.Inputs, s.Outputs)
			var want Parameters
			for _, k := range kernel.Available() {
				for _, workers := range []int{1, 2, 3, 7} {
					if k.Name() == "generic" && (workers > 2 || m > 300) {
						continue
					}
					team := NewTeam(workers)
					st := NewStepper(k, s, m, team)
					p := s.random(5)
					m1, m2 := kernel.Floats(len(p.Flat)), kernel.Floats(len(p.Flat))
					team.Start()
					for step := 1; step <= 3; step++ {
						st.Step(&p, task, m, Optimiser{m1, m2, kernel.AdamStep{Rate: 0.01, Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, Decay: 0.1, Step: step}, 0.03})
					}
					team.Stop()
					if want.Flat == nil {
						want = p
						continue
					}
					for i, v := range want.Flat {
						if math.Float32bits(v) != math.Float32bits(p.Flat[i]) {
							t.Fatalf("%v, %d rows, %s, %d workers: parameter %d is %g, want %g", s, m, k.Name(), workers, i, p.Flat[i], v)
						}
					}
				}
			}
		}
	}
}

// TestDescent: without moments a step goes down the gradient.
func TestDescent(t *testing.T) {
	for _, s := range shapes {
		task := newRegression(300, s.Inputs, s.Outputs)
		st := NewStepper(kernel.Kernel{}, s, 300, nil)
		p := s.random(5)
		g, _ := st.Gradient(&p, task, 300)
		want := make([]float32, len(p.Flat))
		for i, v := range p.Flat {
			want[i] = v - float32(0.5*g.Flat[i])
		}
		st.Step(&p, task, 300, Optimiser{Step: kernel.AdamStep{Rate: 0.5}, ScaleRate: 0.5})
		for i, v := range p.Flat {
			if v != want[i] {
				t.Fatalf("%v: parameter %d is %g, want %g", s, i, v, want[i])
			}
		}
	}
}

// TestChunks: rows that go through in one piece or in several give the same gradient.
func TestChunks(t *testing.T) {
	s := shapes[2]
	task := newRegression(250, s.Inputs, s.Outputs)
	p := s.random(5)
	st := NewStepper(kernel.Kernel{}, s, 250, nil)
	got, _ := st.Gradient(&p, task, 250)
	g := s.Parameters()
	w := newWorkspace(s, 250)
	st.p, st.task, st.m = &p, task, 250
	st.chunk(&w, &g, 0, 250, 0, false)
	unscaleGradient(g.W[0], g.Scale, p.W[0], p.Scale)
	for i, v := range g.Flat {
		if math.Float32bits(v) != math.Float32bits(got.Flat[i]) {
			t.Fatalf("element %d is %g, want %g", i, got.Flat[i], v)
		}
	}
}

// TestSmallerBatches: a Stepper takes any batch up to its own, with the same gradient.
func TestSmallerBatches(t *testing.T) {
	s := shapes[1]
	for _, m := range []int{1, 100, 224, 255, 256, 300, 1023, 1024} {
		task := newRegression(m, s.Inputs, s.Outputs)
		p := s.random(5)
		want, _ := NewStepper(kernel.Kernel{}, s, m, nil).Gradient(&p, task, m)
		team := NewTeam(2)
		team.Start()
		got, _ := NewStepper(kernel.Kernel{}, s, 2048, team).Gradient(&p, task, m)
		team.Stop()
		for i, v := range want.Flat {
			if math.Float32bits(v) != math.Float32bits(got.Flat[i]) {
				t.Fatalf("%d rows: element %d is %g, want %g", m, i, got.Flat[i], v)
			}
		}
	}
}

func TestStepDoesNotAllocate(t *testing.T) {
	for _, workers := range []int{1, 2} {
		s := shapes[2]
		task := newRegression(600, s.Inputs, s.Outputs)
		team := NewTeam(workers)
		st := NewStepper(kernel.Kernel{}, s, 600, team)
		p := s.random(5)
		o := Optimiser{kernel.Floats(len(p.Flat)), kernel.Floats(len(p.Flat)), kernel.AdamStep{Rate: 0.01, Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, Step: 1}, 0.03}
		team.Start()
		defer team.Stop()
		if n := testing.AllocsPerRun(20, func() {
			st.Step(&p, task, 600, o)
			st.Evaluate(&p, task, 600)
		}); n != 0 {
			t.Errorf("%d workers: %v allocations", workers, n)
		}
	}
}

// TestTeam: every task of every job runs once, however long helpers take to come.
func TestTeam(t *testing.T) {
	for _, size := range []int{1, 2, 5} {
		team := NewTeam(size)
		counts := make([]int, 100)
		add := func(i, _ int) { counts[i]++ }
		for region := range 3 {
			team.Start()
			for job := range 200 {
				team.Do(1+(job*37+region)%100, add)
			}
			team.Stop()
		}
		team.Do(100, add) // without helpers
		for i, c := range counts {
			want := 1
			for region := range 3 {
				for job := range 200 {
					if i < 1+(job*37+region)%100 {
						want++
					}
				}
			}
			if c != want {
				t.Fatalf("%d workers: task %d ran %d times, want %d", size, i, c, want)
			}
		}
	}
}

func BenchmarkStep(b *testing.B) {
	for _, s := range []Shape{{Inputs: 2, Hidden: []int{256, 256, 256}, Outputs: 1}, {Inputs: 64, Hidden: []int{512, 512}, Outputs: 1}, {Inputs: 16, Hidden: []int{128, 128}, Outputs: 1}, {Inputs: 16, Hidden: []int{64, 64}, Outputs: 1}} {
		for _, m := range []int{32, 256, 1024, 16384} {
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("%d-%v/%d/%d", s.Inputs, s.Hidden, m, workers), func(b *testing.B) {
					task := newRegression(m, s.Inputs, s.Outputs)
					team := NewTeam(workers)
					st := NewStepper(kernel.Kernel{}, s, m, team)
					p := s.random(5)
					o := Optimiser{kernel.Floats(len(p.Flat)), kernel.Floats(len(p.Flat)), kernel.AdamStep{Rate: 1e-4, Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, Step: 10}, 0.03}
					team.Start()
					defer team.Stop()
					flops := 0.0
					for i, w := range p.W {
						f := 6.0
						if i == 0 {
							f = 4
						}
						flops += f * float64(w.K*w.N*m)
					}
					for b.Loop() {
						st.Step(&p, task, m, o)
					}
					b.ReportMetric(flops*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
				})
			}
		}
	}
}
