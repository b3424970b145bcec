package construct

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/multigrade/multigrade/mgdl"
)

// A Check is what random points say of a scheme. It can refute a certificate, and cannot prove one.
type Check struct {
	Points     int
	Sup        float64   // largest |f − At|
	At         []float64 // where
	Violations int       // hats that raise |f − f_k| at a point by more than rounding explains
	Increase   float64   // largest rise of |f − f_k| by one hat, 0 if none
	Levels     []float64 // largest |f − f_j| after each level
}

// Check compares s with f at random points of the cube, after every single hat: where no hat
// raises the residual, no grouping into grades does. points are those of a fixed sequence that
// seed begins.
//
// Rounding explains 2u·(n+4)·(|f| + |f_0| + Σ|c|·φ) at a point where n hats are not 0, u = 2⁻⁵³:
// sum and residual are rounded at every step. A Scheme of mode Interpolate is not monotone, and
// its violations are not counted.
func (s *Scheme) Check(ctx context.Context, f Func, points int, seed uint64) (Check, error) {
	c := Check{Points: points, Levels: make([]float64, len(s.levels)), At: make([]float64, s.dim)}
	r := rand.New(rand.NewPCG(seed, 0))
	x := make([]float64, s.dim)
	for i := range points {
		if i%4096 == 0 && ctx.Err() != nil {
			return c, ctx.Err()
		}
		for i := range x {
			x[i] = r.Float64()
		}
		v := f(x)
		if d := math.Abs(v - s.At(x)); d > c.Sup || i == 0 {
			c.Sup = d
			copy(c.At, x)
		}
		s.follow(x, v, &c)
	}
	return c, nil
}

// follow adds up the hats at x, where f is v.
func (s *Scheme) follow(x []float64, v float64, c *Check) {
	const u = 0x1p-53
	sum, size, n := s.start, math.Abs(v)+math.Abs(s.start), 0
	left := math.Abs(v - sum)
	rise := 0.0
	level := 0
	s.walk(x, func(j, _ int, add float64) {
		for ; level < j; level++ {
			c.Levels[level] = max(c.Levels[level], left)
		}
		sum += add
		size += math.Abs(add)
		n++
		after := math.Abs(v - sum)
		rise = max(rise, after-left)
		left = after
	})
	for ; level < len(s.levels); level++ {
		c.Levels[level] = max(c.Levels[level], left)
	}
	if s.mode == Interpolate {
		return
	}
	c.Increase = max(c.Increase, rise)
	if rise > 2*u*float64(n+4)*size {
		c.Violations++
	}
}

// CheckModel compares the model m, made of s with grades of hats hats, with f at random points that
// float32 holds exactly, after every grade that changes anything there. Rounding explains a rise
// of the residual by twice Accumulation. Check.Levels is not set.
func (s *Scheme) CheckModel(ctx context.Context, m *mgdl.Model, hats int, f Func, points int, seed uint64) (Check, error) {
	c := Check{Points: points, At: make([]float64, s.dim)}
	r := rand.New(rand.NewPCG(seed, 1))
	p := m.NewPredictor()
	grades := s.Grades(hats)
	tolerance := 2 * s.Accumulation()
	x, out := make([]float64, s.dim), make([]float64, 1)
	for i := range points {
		if ctx.Err() != nil {
			return c, ctx.Err()
		}
		for i := range x {
			x[i] = float64(r.IntN(1<<22+1)) / (1 << 22)
		}
		v := f(x)
		left, rise, after := math.Abs(v-s.start), 0.0, 0
		s.walk(x, func(level, node int, _ float64) {
			k := gradeOf(grades, level, node) + 1
			if k == after {
				return
			}
			after = k
			d := math.Abs(v - p.PredictGrades(out[:0], x, k)[0])
			rise = max(rise, d-left)
			left = d
		})
		if d := math.Abs(v - p.Predict(out[:0], x)[0]); d > c.Sup || i == 0 {
			c.Sup = d
			copy(c.At, x)
		}
		if s.mode == Interpolate {
			continue
		}
		c.Increase = max(c.Increase, rise)
		if rise > tolerance {
			c.Violations++
		}
	}
	return c, nil
}

// gradeOf returns the number of the grade, from 0, with the hat of a node of a level.
func gradeOf(grades []Grade, level, node int) int {
	g, _ := slices.BinarySearchFunc(grades, node, func(g Grade, node int) int {
		if g.Level < level || g.Level == level && g.last <= node {
			return -1
		}
		return 1
	})
	return g
}
