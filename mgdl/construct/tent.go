package construct

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl"
)

// Tent sets dst to T_0(x) .. T_{len(dst)−1}(x) for x in [0,1]:
//
//	T_0 = x,   T_l = relu(2·T_{l−1}) − relu(4·T_{l−1} − 2)
//
// T_l has 2^(l−1) teeth: a network of width 2 whose features double their frequency with every layer. Each
// step is exact up to the last bits of x, of which it takes one.
func Tent(dst []float64, x float64) {
	for l := range dst {
		if l > 0 {
			x = max(2*x, 0) - max(4*x-2, 0)
		}
		dst[l] = x
	}
}

// Square returns Φ_l(x) = x − Σ_{1≤i≤l} 4^−i·T_i(x), the interpolant of x² at the multiples of 2^−l:
//
//	0 ≤ Φ_l(x) − x² ≤ 4^−(l+1) on [0,1], with equality in the middle of each interval
//
// so each layer of constant width divides the error by four: the geometric rate that functions admit which the
// teeth are made for. Products follow by xy = ((x+y)² − x² − y²)/2.
func Square(l int, x float64) float64 {
	sum, scale := x, 1.0
	for range l {
		x = max(2*x, 0) - max(4*x-2, 0)
		scale /= 4
		sum -= float64(scale * x)
	}
	return sum
}

// SquareModel returns Square(depth, ·) as a multigrade network in the literal sense: grade l has the hidden
// layer relu(2T), relu(4T − 2) on the one before it and adds −4^−l·T_l; the first adds x as well. Grade l
// predicts Square(l, x) for x in [0,1], float32 rounding apart: T_l is exact there at multiples of 2⁻²⁴.
func SquareModel(depth int) (*mgdl.Model, error) {
	if depth < 1 || depth > 24 {
		return nil, fmt.Errorf("construct: %d layers, want 1 to 24: there float32 ends", depth)
	}
	grades := make([]mgdl.Grade, depth)
	for l := range grades {
		n := mgdl.Network{layerOf([]float32{0, -2}, []float32{2, 4}, []float32{-2, -4})}
		scale := float32(math.Ldexp(1, -2*(l+1)))
		switch l {
		case 0: // it takes x itself and hands it to its readout
			n[0] = layerOf([]float32{0, -2, 0}, []float32{2, 4, 1})
			n = append(n, layerOf([]float32{0}, []float32{-scale}, []float32{scale}, []float32{1}))
		case 1:
			n[0] = layerOf([]float32{0, -2}, []float32{2, 4}, []float32{-2, -4}, []float32{0, 0})
			fallthrough
		default:
			n = append(n, layerOf([]float32{0}, []float32{-scale}, []float32{scale}))
		}
		grades[l] = mgdl.Grade{Networks: []mgdl.Network{n}, TrainLoss: math.NaN(), ValLoss: math.NaN()}
	}
	schema := mgdl.Schema{Clip: 1,
		Features: []mgdl.Column{{Name: "x", Missing: 0.5, Scale: 1, Max: 1}},
		Targets:  []mgdl.Column{{Name: "f", Scale: 1, Min: 0, Max: 1}}}
	return mgdl.NewModel(schema, []float32{0}, grades)
}

// layerOf returns the layer with these rows of weights.
func layerOf(bias []float32, rows ...[]float32) mgdl.Layer {
	l := mgdl.Layer{W: kernel.NewMatrix(len(rows), len(bias)), Bias: bias}
	for i, r := range rows {
		copy(l.W.Row(i), r)
	}
	return l
}

// A Cascade is a readout of the features 1, T_0, .. T_depth.
type Cascade struct{ coefficients []float64 }

// FitCascade returns the cascade that is nearest to f in the squares of its errors at the middles of 4·2^depth intervals,
// 2^16 at most. It promises nothing but that: f has to be made of teeth, as polynomials of degree 2 are.
func FitCascade(ctx context.Context, f func(x float64) float64, depth int) (*Cascade, error) {
	if depth < 0 || depth > 40 {
		return nil, fmt.Errorf("construct: a cascade of depth %d, want 0 to 40", depth)
	}
	n := depth + 2
	rows := 4 << min(depth, 14)
	a, y := make([][]float64, rows), make([]float64, rows)
	for r := range a {
		if r%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		x := (float64(r) + 0.5) / float64(rows)
		a[r] = make([]float64, n)
		a[r][0] = 1
		Tent(a[r][1:], x)
		if y[r] = f(x); y[r]-y[r] != 0 {
			return nil, fmt.Errorf("construct: f(%v) is %v", x, y[r])
		}
	}
	c, err := leastSquares(a, y)
	return &Cascade{c}, err
}

// At returns the value at x of the cascade's first l+1 teeth T_0..T_l; l is at most its depth.
func (c *Cascade) At(l int, x float64) float64 {
	t := make([]float64, l+1)
	Tent(t, x)
	sum := c.coefficients[0]
	for i, v := range t {
		sum += float64(c.coefficients[i+1] * v)
	}
	return sum
}

// leastSquares returns the x that makes |a·x − y| least, by Householder reflections of a and y, which it changes. A column
// that depends on earlier ones gets 0.
func leastSquares(a [][]float64, y []float64) ([]float64, error) {
	n := len(a[0])
	if len(a) < n {
		return nil, errors.New("construct: fewer rows than columns")
	}
	dot := func(k, j, from int) float64 {
		sum := 0.0
		for r := from; r < len(a); r++ {
			sum += float64(a[r][k] * a[r][j])
		}
		return sum
	}
	diagonal := make([]float64, n)
	for k := range n {
		whole, norm := math.Sqrt(dot(k, k, 0)), math.Sqrt(dot(k, k, k))
		if norm <= 1e-13*whole {
			continue
		}
		if a[k][k] > 0 {
			norm = -norm
		}
		diagonal[k] = norm
		a[k][k] -= norm
		square := dot(k, k, k)
		for j := k + 1; j < n; j++ {
			t := 2 * dot(k, j, k) / square
			for r := k; r < len(a); r++ {
				a[r][j] -= float64(t * a[r][k])
			}
		}
		t := 0.0
		for r := k; r < len(a); r++ {
			t += float64(a[r][k] * y[r])
		}
		t = 2 * t / square
		for r := k; r < len(a); r++ {
			y[r] -= float64(t * a[r][k])
		}
	}
	x := make([]float64, n)
	for k := n - 1; k >= 0; k-- {
		if diagonal[k] == 0 {
			continue
		}
		sum := y[k]
		for j := k + 1; j < n; j++ {
			sum -= float64(a[k][j] * x[j])
		}
		x[k] = sum / diagonal[k]
	}
	return x, nil
}
