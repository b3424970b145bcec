package construct

import (
	"context"
	"math"
	"math/big"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
)

// A line is a piecewise linear function of one variable in rational numbers.
type line struct{ x, y []*big.Rat }

func (l *line) at(x *big.Rat) *big.Rat {
	i := sort.Search(len(l.x), func(i int) bool { return l.x[i].Cmp(x) > 0 })
	i = min(max(i, 1), len(l.x)-1)
	t := new(big.Rat).Sub(x, l.x[i-1])
	t.Quo(t, new(big.Rat).Sub(l.x[i], l.x[i-1]))
	d := new(big.Rat).Sub(l.y[i], l.y[i-1])
	return d.Add(d.Mul(d, t), l.y[i-1])
}

// polygon is the target of the exact tests; its slopes are at most 35/6.
func polygon() *line {
	l := &line{}
	for _, p := range [][4]int64{{0, 1, 1, 3}, {1, 7, -1, 2}, {2, 5, 4, 5}, {5, 9, 1, 10}, {3, 4, -3, 5}, {1, 1, 1, 2}} {
		l.x, l.y = append(l.x, big.NewRat(p[0], p[1])), append(l.y, big.NewRat(p[2], p[3]))
	}
	return l
}

func (l *line) float(x []float64) float64 {
	v, _ := l.at(new(big.Rat).SetFloat64(x[0])).Float64()
	return v
}

// nodal returns the function with these values at multiples of 1/n.
func nodal(v []*big.Rat) *line {
	l := &line{y: v}
	for k := range v {
		l.x = append(l.x, big.NewRat(int64(k), int64(len(v)-1)))
	}
	return l
}

// exact counts what a grade does to f in rational arithmetic: on every piece where f, the sum and the grade are
// affine, 0 ≤ g(2r − g) at the ends, in the middle and where r or g change their sign, which is |r − g| ≤ |r|.
type exact struct {
	t                          *testing.T
	f, sum                     *line
	grades, strict, violations int
}

func (e *exact) add(n int, hats map[int]*big.Rat) {
	v, g := make([]*big.Rat, n+1), make([]*big.Rat, n+1)
	for k := range v {
		v[k], g[k] = e.sum.at(big.NewRat(int64(k), int64(n))), new(big.Rat)
		if c := hats[k]; c != nil {
			g[k] = c
		}
	}
	sum, add := nodal(v), nodal(g)
	e.grades++
	strict := false
	look := func(x *big.Rat) {
		gx := add.at(x)
		rx := new(big.Rat).Sub(e.f.at(x), sum.at(x))
		p := new(big.Rat).Sub(rx.Add(rx, rx), gx)
		switch p.Mul(p, gx).Sign() {
		case -1:
			e.violations++
		case 1:
			strict = true
		}
	}
	cuts := append(append([]*big.Rat{}, sum.x...), e.f.x...)
	sort.Slice(cuts, func(i, j int) bool { return cuts[i].Cmp(cuts[j]) < 0 })
	half := big.NewRat(1, 2)
	for i := 1; i < len(cuts); i++ {
		a, b := cuts[i-1], cuts[i]
		look(a)
		look(b)
		look(new(big.Rat).Mul(half, new(big.Rat).Add(a, b)))
		for _, at := range []func(x *big.Rat) *big.Rat{add.at, func(x *big.Rat) *big.Rat { return new(big.Rat).Sub(e.f.at(x), sum.at(x)) }} {
			ya, yb := at(a), at(b)
			if ya.Sign()*yb.Sign() < 0 { // a + (b−a)·ya/(ya−yb)
				t := new(big.Rat).Quo(ya, new(big.Rat).Sub(ya, yb))
				look(t.Add(a, t.Mul(t, new(big.Rat).Sub(b, a))))
			}
		}
	}
	if strict {
		e.strict++
	}
	for k := range v {
		v[k] = new(big.Rat).Add(v[k], g[k])
	}
	e.sum = nodal(v)
}

// sup returns the largest |f − sum|.
func (e *exact) sup() float64 {
	most := new(big.Rat)
	for _, x := range append(append([]*big.Rat{}, e.sum.x...), e.f.x...) {
		if r := new(big.Rat).Sub(e.f.at(x), e.sum.at(x)); r.Abs(r).Cmp(most) > 0 {
			most = r
		}
	}
	v, _ := most.Float64()
	return v
}

// T2: rule 1 alone, seven meshes, coefficients truncated to 2⁻³⁰, three hats a grade in random order.
func TestRuleOneIsMonotoneExactly(t *testing.T) {
	f := polygon()
	e := &exact{t: t, f: f, sum: nodal([]*big.Rat{new(big.Rat), new(big.Rat)})}
	F := []float64{0, 0}
	before, err := newMesh(1, 1, 1<<20)
	require.NoError(t, err)
	random := points(2)
	for j := 1; j <= 7; j++ {
		m, err := newMesh(1, 1<<j, 1<<20)
		require.NoError(t, err)
		F = before.refine(&m, F)
		before = m
		values, r := make([]float64, m.nodes), make([]float64, m.nodes)
		for z := range values {
			values[z] = f.float([]float64{float64(z) / float64(m.n)})
			r[z] = values[z] - F[z]
		}
		slope := 35.0 / 6 * outward
		c, _, err := caps(context.Background(), &m, values, F, r, limits{slope / float64(m.n), math.Inf(1), 0x1p-50})
		require.NoError(t, err)
		var order []int
		for z := range c {
			c[z] = math.Trunc(c[z]*(1<<30)) / (1 << 30)
			F[z] += c[z]
			if c[z] != 0 {
				order = append(order, z)
			}
		}
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for ; len(order) > 0; order = order[min(3, len(order)):] {
			hats := map[int]*big.Rat{}
			for _, z := range order[:min(3, len(order))] {
				hats[z] = new(big.Rat).SetFloat64(c[z])
			}
			e.add(m.n, hats)
		}
	}
	require.Zero(t, e.violations)
	require.Equal(t, 66, e.grades)
	require.Equal(t, e.grades, e.strict)
	require.InDelta(t, 0.1276, e.sup(), 5e-5)
}

// What Build makes of the same function, with all its rules, the slope limiter and float32 coefficients, is monotone in
// exact arithmetic too, and its bounds hold.
func TestBuildIsMonotoneExactly(t *testing.T) {
	f := polygon()
	for _, mode := range []Mode{Oscillation, Lipschitz, Minorant, Majorant} {
		s := build(t, sample{"polygon", f.float, Options{Dim: 1, Eps: 0.2, First: 2, Factor: 2, Mode: mode,
			Certificate: Certificate{Lipschitz: 35. / 6, Lower: new(-0.6), Upper: new(0.8), Noise: 0x1p-52}}})
		start := new(big.Rat).SetFloat64(s.Start())
		e := &exact{t: t, f: f, sum: nodal([]*big.Rat{start, start})}
		grades := s.Grades(3)
		for i, g := range grades {
			hats := map[int]*big.Rat{}
			for _, h := range s.hats(g, 1) {
				hats[h.k[0]] = new(big.Rat).SetFloat64(float64(h.c))
			}
			l := s.levels[g.Level]
			e.add(l.Mesh, hats)
			if i+1 == len(grades) || grades[i+1].Level > g.Level {
				require.LessOrEqual(t, e.sup(), l.Bound, "%v, level %d", mode, g.Level)
				require.LessOrEqual(t, e.sup(), l.Apriori)
				require.LessOrEqual(t, e.sup(), l.Posteriori)
			}
		}
		require.Zero(t, e.violations, mode)
		require.Equal(t, e.grades, e.strict, mode)
		require.Greater(t, e.grades, 20)
		for z, v := range s.final { // nodal values are exact sums
			want, _ := e.sum.y[z].Float64()
			require.Equal(t, want, v)
		}
	}
}
