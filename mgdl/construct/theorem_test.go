package construct

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// T3: whatever part of a sweep is added, in whatever order, |r| grows nowhere by more than rounding and no point of f_k
// crosses f.
func TestPartialSweepsAreMonotone(t *testing.T) {
	n := 200_000
	if testing.Short() {
		n = 20_000
	}
	for _, c := range samples() {
		s := build(t, c)
		if s.dim > 1 {
			require.Greater(t, s.Hats(), 100)
		}
		r := points(3)
		x := make([]float64, s.dim)
		top := 0.0
		for range 1000 {
			fill(r, x)
			top = max(top, math.Abs(c.f(x)))
		}
		tolerance := 1e-14 * (1 + top)
		keep := make([][]bool, len(s.levels)) // a random part of each sweep comes first, then the rest
		for j := range keep {
			keep[j] = make([]bool, s.levels[j].mesh.nodes)
			for z := range keep[j] {
				keep[j][z] = r.Float64() < 0.3+0.1*r.Float64()
			}
		}
		bound := s.Bound()
		var p place
		for range n {
			fill(r, x)
			target := c.f(x)
			sum := s.start
			for j := range s.levels {
				l := &s.levels[j]
				l.mesh.locate(&p, x)
				for _, first := range []bool{true, false} {
					before := target - sum
					for k := range s.dim + 1 {
						if z := p.node[k]; keep[j][z] == first {
							sum += float64(l.c[z]) * p.weight[k]
						}
					}
					after := target - sum
					if math.Abs(after) > math.Abs(before)+tolerance || before*after < 0 && math.Abs(after) > tolerance {
						t.Fatalf("%s: level %d at %v: residual %v after %v", c.name, j, x, after, before)
					}
				}
			}
			if math.Abs(target-sum) > bound {
				t.Fatalf("%s at %v: the residual %v is above %v", c.name, x, target-sum, bound)
			}
		}
	}
}

// Theorem A: after a sweep from a constant |r| ≤ 2δ, δ the largest ω_σ; here δ = ω(h).
func TestTheoremA(t *testing.T) {
	for _, dim := range []int{1, 2} {
		f := func(x []float64) float64 {
			d := 0.0
			for _, v := range x {
				d = max(d, math.Abs(v-0.4))
			}
			return math.Sqrt(d) - 0.3
		}
		c := sample{"root", f, Options{Dim: dim, Eps: 0.26, First: 64, Mode: Oscillation, Certificate: Certificate{Modulus: math.Sqrt}}}
		s := build(t, c)
		require.Len(t, s.levels, 1)
		require.InDelta(t, 2*math.Sqrt(1./64), s.levels[0].Apriori, 1e-6)
		check, err := s.Check(context.Background(), f, 50_000, 1)
		require.NoError(t, err)
		require.LessOrEqual(t, check.Sup, s.levels[0].Posteriori)
		require.Zero(t, check.Violations)
	}
}

// T4, theorem B: the limiter keeps nodal slopes, and the bound holds on every mesh up to 4096.
func TestTheoremB(t *testing.T) {
	f := func(x []float64) float64 { return math.Abs(x[0] - 1./3) }
	s := build(t, sample{"abs", f, Options{Dim: 1, Eps: 4e-4, First: 2, Factor: 2, Mode: Lipschitz, Certificate: Certificate{Lipschitz: 1}}})
	require.Equal(t, 4096, s.levels[len(s.levels)-1].Mesh)
	check, err := s.Check(context.Background(), f, 100_000, 4)
	require.NoError(t, err)
	require.Zero(t, check.Violations)
	for j, l := range s.Levels() {
		require.LessOrEqual(t, check.Levels[j], 4/float64(l.Mesh))
		require.LessOrEqual(t, check.Levels[j], l.Bound)
		require.LessOrEqual(t, l.Bound, 4/float64(l.Mesh)*(1+1e-6))
	}
}

// The limiter alone, where it has much to do: random coefficients on functions that have the slope.
func TestLimitSlopes(t *testing.T) {
	for dim, n := range map[int]int{1: 300, 2: 20, 3: 7} {
		m, err := newMesh(dim, n, 1<<20)
		require.NoError(t, err)
		r := points(uint64(dim))
		const slope = 1.7
		F, c := make([]float64, m.nodes), make([]float64, m.nodes)
		x := make([]float64, dim)
		for z := range F {
			m.point(x, z)
			for _, v := range x {
				F[z] += slope / 2 * math.Abs(v-0.3)
			}
			c[z] = r.NormFloat64() * 3 * slope / float64(n)
			if r.IntN(3) == 0 {
				c[z] = 0
			}
		}
		before := slices.Clone(c)
		require.Greater(t, steepestOf(&m, F, c), 2*slope)
		limitSlopes(&m, F, c, slope/float64(n))
		require.LessOrEqual(t, steepestOf(&m, F, c), slope*(1+1e-12))
		changed := 0
		for z := range c {
			require.LessOrEqual(t, math.Abs(c[z]), math.Abs(before[z]))
			require.GreaterOrEqual(t, c[z]*before[z], 0.0)
			if c[z] != 0 {
				changed++
			}
		}
		require.Greater(t, changed, m.nodes/20, "something is left")
		// It is the largest: one more pass changes nothing, and no node alone could have kept more.
		again := slices.Clone(c)
		limitSlopes(&m, F, again, slope/float64(n))
		require.InDeltaSlice(t, c, again, 1e-15)
	}
}

func steepestOf(m *mesh, F, c []float64) float64 {
	v := make([]float64, len(F))
	for z := range v {
		v[z] = F[z] + c[z]
	}
	return slices.Max(m.steepest(v))
}

// T5, theorem C: coefficients are not negative, τE ≤ r ≤ (2+τ)E after each level, and the errors are those that were
// measured independently.
func TestTheoremC(t *testing.T) {
	type row struct {
		sample
		n, hats    int
		sup, bound float64
	}
	w, s2, p3 := waves(), saddle(), product()
	list := []row{{w, 1024, 1364, 5.12e-5, 5.35e-5}}
	w.o.Eps = 2.1e-7
	s2.o.Eps, p3.o.Eps = 8.8e-5, 2.2e-3
	if !testing.Short() {
		list = append(list, row{w, 16384, 21846, 2.00e-7, 2.09e-7}, row{s2, 256, 88374, 8.78e-5, 8.79e-5}, row{p3, 64, 316329, 2.098e-3, 2.108e-3})
	}
	for _, c := range list {
		c.o.Certificate.Noise = 0x1p-49
		s := build(t, c.sample)
		last := s.levels[len(s.levels)-1]
		require.Equal(t, c.n, last.Mesh)
		require.Equal(t, c.hats, s.Hats())
		require.InEpsilon(t, c.bound, last.Bound, 0.01)
		tau := 1. / 3
		if c.o.Dim == 1 {
			tau = 1. / 15
		}
		for _, l := range s.levels {
			for _, v := range l.c {
				require.GreaterOrEqual(t, v, float32(0))
			}
		}
		r, x, sup := points(5), make([]float64, s.dim), 0.0
		for range 200_000 {
			fill(r, x)
			target, sum, level := c.f(x), s.start, 0
			inside := func() {
				l := &s.levels[level]
				e := c.o.Certificate.Curvature * float64(s.dim) / float64(8*l.Mesh*l.Mesh)
				d := target - sum
				if d < tau*e-1e-12 || d > (2+tau)*e+float64(l.Largest)*0x1p-23+1e-9 {
					t.Fatalf("%s level %d at %v: %v is not within %v and %v", c.name, level, x, d, tau*e, (2+tau)*e)
				}
				level++
			}
			s.walk(x, func(j, _ int, add float64) {
				for level < j {
					inside()
				}
				sum += add
			})
			for level < len(s.levels) {
				inside()
			}
			sup = max(sup, math.Abs(target-s.At(x)))
		}
		require.InEpsilon(t, c.sup, sup, 0.01, c.name)
		require.LessOrEqual(t, sup, s.Bound())
	}
}

// Envelopes with a Lipschitz bound or a modulus, and from above.
func TestEnvelopes(t *testing.T) {
	for _, c := range samples() {
		for _, mode := range []Mode{Minorant, Majorant} {
			c.o.Mode = mode
			c.o.Certificate.Lower, c.o.Certificate.Upper = new(-1.5), new(1.5)
			if c.o.Dim > 1 {
				c.o.Eps *= 4
			}
			s := build(t, c)
			check, err := s.Check(context.Background(), c.f, 20_000, 1)
			require.NoError(t, err)
			require.Zero(t, check.Violations)
			require.LessOrEqual(t, check.Sup, s.Bound())
			for j, l := range s.Levels() {
				require.LessOrEqual(t, check.Levels[j], l.Bound)
			}
			r, x := points(1), make([]float64, s.dim)
			for range 1000 {
				fill(r, x)
				if d := c.f(x) - s.At(x); mode == Minorant {
					require.Greater(t, d, 0.0)
				} else {
					require.Less(t, d, 0.0)
				}
			}
		}
	}
}

// T6: in L^p a grade takes at least its own norm away: ‖r_k‖^p ≤ ‖r_{k−1}‖^p − ‖g_k‖^p, by exact quadrature of piecewise
// linear functions.
func TestLpDecay(t *testing.T) {
	f := polygon()
	for _, mode := range []Mode{Oscillation, Lipschitz, Minorant} {
		s := build(t, sample{"polygon", f.float, Options{Dim: 1, Eps: 0.1, First: 2, Factor: 2, Mode: mode,
			Certificate: Certificate{Lipschitz: 35. / 6, Lower: new(-0.6), Noise: 0x1p-52}}})
		last := s.levels[len(s.levels)-1].mesh
		cuts := make([]float64, 0, last.n+8)
		for k := range last.n + 1 {
			cuts = append(cuts, float64(k)/float64(last.n))
		}
		for _, x := range f.x {
			v, _ := x.Float64()
			cuts = append(cuts, v)
		}
		slices.Sort(cuts)
		values := make([]float64, len(cuts))
		for i, x := range cuts {
			values[i] = f.float([]float64{x})
		}
		left := make([]float64, len(cuts)) // f − f_k at the cuts
		for i := range left {
			left[i] = values[i] - s.start
		}
		for k, g := range s.Grades(3) {
			now, add := make([]float64, len(cuts)), make([]float64, len(cuts))
			for i, x := range cuts {
				now[i] = values[i] - s.After(g, []float64{x})
				add[i] = left[i] - now[i]
			}
			for _, p := range []int{1, 2, 4} {
				before, after, norm := integral(cuts, left, p), integral(cuts, now, p), integral(cuts, add, p)
				require.Positive(t, norm)
				require.LessOrEqual(t, after, before-norm*(1-1e-9)+1e-15, "%v grade %d p %d", mode, k, p)
			}
			left = now
		}
	}
}

// integral returns ∫|y|^p of the piecewise linear function through the points, p a whole number.
func integral(x, y []float64, p int) float64 {
	sum := 0.0
	piece := func(w, a, b float64) { // a and b have no different signs: w·Σ a^i b^(p−i)/(p+1)
		for i := range p + 1 {
			sum += w * math.Pow(math.Abs(a), float64(i)) * math.Pow(math.Abs(b), float64(p-i)) / float64(p+1)
		}
	}
	for i := 1; i < len(x); i++ {
		w, a, b := x[i]-x[i-1], y[i-1], y[i]
		if a*b < 0 {
			t := a / (a - b)
			piece(w*t, a, 0)
			piece(w*(1-t), 0, b)
		} else {
			piece(w, a, b)
		}
	}
	return sum
}

// T7: half of what is true is found out, with points that prove it.
func TestWrongCertificates(t *testing.T) {
	for _, c := range samples() {
		o := c.o
		o.Certificate.Lipschitz /= 2
		o.Certificate.Curvature /= 2
		if m := o.Certificate.Modulus; m != nil {
			o.Certificate.Modulus = func(h float64) float64 { return m(h) / 2 }
		}
		s, err := Build(context.Background(), c.f, o)
		var wrong *CertificateError
		require.ErrorAs(t, err, &wrong, c.name)
		require.Nil(t, s)
		require.NotEmpty(t, wrong.Points)
		require.Len(t, wrong.Values, len(wrong.Points))
		for i, x := range wrong.Points {
			require.Equal(t, c.f(x), wrong.Values[i])
		}
		require.Contains(t, err.Error(), "is wrong: f(")
		if o.Certificate.Lipschitz > 0 { // the witness is one
			d := 0.0
			for i, v := range wrong.Points[0] {
				d += math.Abs(v - wrong.Points[1][i])
			}
			require.Greater(t, math.Abs(wrong.Values[0]-wrong.Values[1]), o.Certificate.Lipschitz*d)
		}
	}
	c := waves()
	c.o.Certificate.Lower = new(-1.0)
	_, err := Build(context.Background(), c.f, c.o)
	var wrong *CertificateError
	require.ErrorAs(t, err, &wrong)
	require.Contains(t, wrong.Claim, "lower bound")

	// Wrong only between the nodes: nothing contradicts it until the residuals do, or a point does.
	spike := func(x []float64) float64 { return max(0, 1-1000*math.Abs(x[0]-0.3001)) }
	s := build(t, sample{"spike", spike, Options{Dim: 1, Eps: 0.1, First: 2, Certificate: Certificate{Lipschitz: 1}}})
	check, err := s.Check(context.Background(), spike, 100_000, 1)
	require.NoError(t, err)
	require.Greater(t, check.Sup, s.Bound(), "the points say that the certificate is wrong")
}

func TestCapsContradiction(t *testing.T) {
	m, err := newMesh(1, 2, 10)
	require.NoError(t, err)
	_, _, err = caps(context.Background(), &m, []float64{1, -1, 0}, []float64{0, 0, 0}, []float64{1, -1, 0}, limits{0.5, math.Inf(1), 0})
	var wrong *CertificateError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, []float64{1, -1}, wrong.Values)
}

func TestBuildRefuses(t *testing.T) {
	f := func(x []float64) float64 { return x[0] }
	good := Options{Dim: 1, Eps: 0.1, Certificate: Certificate{Lipschitz: 1}}
	for name, spoil := range map[string]func(*Options){
		"dimension": func(o *Options) { o.Dim = 9 },
		"eps":       func(o *Options) { o.Eps = 0 },
		"nan":       func(o *Options) { o.Eps = math.NaN() },
		"nothing":   func(o *Options) { o.Certificate = Certificate{} },
		"negative":  func(o *Options) { o.Certificate.Lipschitz = -1 },
		"infinite":  func(o *Options) { o.Certificate.Curvature = math.Inf(1) },
		"minorant":  func(o *Options) { o.Mode = Minorant },
		"majorant":  func(o *Options) { o.Mode = Majorant },
		"curvature": func(o *Options) { o.Certificate = Certificate{Curvature: 1} },
		"lipschitz": func(o *Options) { o.Mode, o.Certificate = Lipschitz, Certificate{Modulus: math.Sqrt} },
		"bounds":    func(o *Options) { o.Certificate.Lower, o.Certificate.Upper = new(1.0), new(0.0) },
		"factor":    func(o *Options) { o.Factor = 1 },
		"start":     func(o *Options) { o.Start = math.Inf(1) },
	} {
		o := good
		spoil(&o)
		_, err := Build(context.Background(), f, o)
		require.ErrorContains(t, err, "construct: ", name)
	}
	o := good
	o.Eps = 1e-9
	_, err := Build(context.Background(), f, o)
	require.ErrorIs(t, err, ErrEps)
	o.Dim, o.Eps = 7, 0.01
	_, err = Build(context.Background(), f, o)
	require.ErrorIs(t, err, ErrEps)
	_, err = Build(context.Background(), func(x []float64) float64 { return 1 / (x[0] - 0.5) }, good)
	require.ErrorContains(t, err, "construct: f(0.5) is +Inf")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Build(ctx, f, good)
	require.True(t, errors.Is(err, context.Canceled))
}

// Estimate finds the kind of function, leaves a margin, and what is built on it does not call itself certified.
func TestEstimate(t *testing.T) {
	for _, c := range samples() {
		e, err := Estimate(context.Background(), c.f, c.o.Dim)
		require.NoError(t, err)
		require.True(t, e.Estimated)
		if k := c.o.Certificate.Curvature; k > 0 {
			require.InDelta(t, 2*k, e.Curvature, 1.2*k, c.name)
		}
		if l := c.o.Certificate.Lipschitz; l > 0 {
			require.InDelta(t, 1.25*l, e.Lipschitz, 0.3*l, c.name)
		}
		require.Equal(t, c.o.Certificate.Modulus != nil, e.Modulus != nil, c.name)
		c.o.Certificate, c.o.Eps, c.o.First = e, 0.25, 0
		s := build(t, c)
		require.False(t, s.Certified())
	}
	e, err := Estimate(context.Background(), func([]float64) float64 { return 0 }, 2)
	require.NoError(t, err)
	build(t, sample{"zero", func([]float64) float64 { return 0 }, Options{Dim: 2, Eps: 1e-3, Certificate: e}})
}

// Coefficients are rounded toward 0, to 24 bits and to multiples of the grid.
func TestTruncate(t *testing.T) {
	r := points(1)
	for range 100_000 {
		c := math.Ldexp(r.Float64()-0.5, r.IntN(40)-20)
		const grid = 0x1p-30
		got := float64(truncate(c, grid))
		lost := math.Abs(c) - math.Abs(got)
		if got*c < 0 || lost < 0 || lost >= grid+math.Abs(c)*0x1p-23 || got != math.Trunc(got/grid)*grid {
			t.Fatalf("truncate(%v) is %v", c, got)
		}
	}
}
