package construct

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/multigrade/multigrade/mgdl"
)

// ErrTooLarge is matched by the error of Model for schemes that make no sensible dense network.
var ErrTooLarge = errors.New("construct: too large for a model file; the sparse form has no such limit")

const (
	// maxParameters are the most a model may have: 128 MB of weights. Nearly all are zero.
	maxParameters = 1 << 25
	// maxGrades are the most grades of a model: each costs a few calls of a kernel.
	maxGrades = 1 << 12
	// fewGrades are what HatsPerGrade aims at.
	fewGrades = 64
)

// HatsPerGrade returns a number of hats for a grade: about as many as give 64 grades, fewer where
// the layers would get large, but enough for the most grades a model may have. For
// schemes too large for a model it is 64.
func (s *Scheme) HatsPerGrade() int {
	b := max(1, (s.Hats()+fewGrades-1)/fewGrades)
	for b > 1 && s.size(b) > maxParameters/4 {
		b--
	}
	for s.count(b) > maxGrades && s.size(b+1) <= maxParameters {
		b++
	}
	if s.count(b) > maxGrades {
		return fewGrades // for no number there is a model
	}
	return b
}

// count returns the number of grades of at most hats hats.
func (s *Scheme) count(hats int) int {
	n := 0
	for j := range s.levels {
		n += (s.levels[j].Hats + hats - 1) / hats
	}
	return n
}

// size returns the parameters of the model with grades of at most hats hats.
func (s *Scheme) size(hats int) int {
	n, before := 0, 0
	add := func(b, times int) {
		if times > 0 && b > 0 {
			n += parameters(s.dim, before, b) + (times-1)*parameters(s.dim, b, b)
			before = b
		}
	}
	for j := range s.levels {
		add(hats, s.levels[j].Hats/hats)
		add(s.levels[j].Hats%hats, 1)
	}
	return n
}

// Width returns the widest layer of a model with grades of at most hats hats: Dim + 4·hats,
// or 1 + 2·hats for one dimension.
func (s *Scheme) Width(hats int) int { return width(s.dim, hats) }

// Model returns the scheme as a multigrade network with grades of at most hats hats of a level:
// each grade takes the last hidden layer of the one before it, in which the coordinates are
// handed on, and adds its hats. hats may be 0 for HatsPerGrade. names are those of the columns,
// the target last; nil means x (x1..xd) and f.
//
// The model predicts f_k after grade k, up to Rounding. If f is not nil it is evaluated at 4096
// random points, and each grade's training loss is the mean of (f − f_k)² there, in units of a
// power of two near the deviation of f.
//
// It returns an error that matches ErrTooLarge beyond 2²⁵ parameters or 4096 grades, and one if a
// mesh is no power of two, since there hats have rounding errors for which nothing is proven.
func (s *Scheme) Model(f Func, hats int, names []string) (*mgdl.Model, error) {
	if hats == 0 {
		hats = s.HatsPerGrade()
	}
	if hats < 1 {
		return nil, fmt.Errorf("construct: %d hats a grade, want 1 or more", hats)
	}
	if names == nil {
		names = columnNames(s.dim)
	}
	if len(names) != s.dim+1 {
		return nil, fmt.Errorf("construct: %d names for %d coordinates and the target", len(names), s.dim)
	}
	for i := range s.levels {
		if n := s.levels[i].Mesh; n&(n-1) != 0 {
			return nil, fmt.Errorf("construct: a mesh of %d cells is no power of two: its hats are not exact in float32", n)
		}
	}
	if n, grades := s.size(hats), s.count(hats); n > maxParameters || grades > maxGrades {
		return nil, fmt.Errorf("%w: %d hats, %d a grade, are %d grades and %d parameters; at most %d and %d are allowed",
			ErrTooLarge, s.Hats(), hats, grades, n, maxGrades, maxParameters)
	}
	runs := s.Grades(hats)
	unit := s.unit(f)
	losses := s.losses(f, runs, unit)
	grades := make([]mgdl.Grade, len(runs))
	inputs := s.dim
	for i, g := range runs {
		grades[i] = mgdl.Grade{Networks: []mgdl.Network{network(s.dim, s.levels[g.Level].Mesh, inputs, s.hats(g, unit))},
			TrainLoss: losses[i], ValLoss: math.NaN()}
		inputs = s.dim + g.Hats
	}
	return mgdl.NewModel(s.schema(names, unit), []float32{0}, grades)
}

// columnNames returns x, or x1..xd, and f.
func columnNames(dim int) []string {
	if dim == 1 {
		return []string{"x", "f"}
	}
	var names []string
	for i := range dim {
		names = append(names, "x"+strconv.Itoa(i+1))
	}
	return append(names, "f")
}

// hats returns the hats of a grade with coefficients in the given unit, a power of two.
func (s *Scheme) hats(g Grade, unit float64) []hat {
	l := &s.levels[g.Level]
	hats := make([]hat, 0, g.Hats)
	for z := g.first; z < g.last; z++ {
		if c := l.c[z]; c != 0 {
			h := hat{c: float32(float64(c) / unit)}
			l.mesh.coordinates(h.k[:], z)
			hats = append(hats, h)
		}
	}
	return hats
}

// schema describes the columns: coordinates are shifted, and clipped at 1; the target is
// f_0 + unit·z, and is never outside the range of all prefixes.
func (s *Scheme) schema(names []string, unit float64) mgdl.Schema {
	sh := shift(s.dim)
	schema := mgdl.Schema{Clip: 1 + sh}
	for _, name := range names[:s.dim] {
		schema.Features = append(schema.Features, mgdl.Column{Name: name, Missing: 0.5, Mean: -sh, Scale: 1, Min: 0, Max: 1})
	}
	reach := s.reach()
	for p := unit; ; p *= 2 { // a power of two, so that the ends are exact
		if p >= reach*(1+0x1p-10) {
			schema.Targets = []mgdl.Column{{Name: names[s.dim], Mean: s.start, Scale: unit, Min: s.start - p, Max: s.start + p}}
			return schema
		}
	}
}

// reach bounds |f_k − f_0| for all k: after a level it is largest at a node; within one, what
// the level can add comes on top.
func (s *Scheme) reach() float64 {
	reach, after := 0.0, 0.0
	var v []float64
	for j := range s.levels {
		l := &s.levels[j]
		if j == 0 {
			v = make([]float64, l.mesh.nodes)
		} else {
			v = s.levels[j-1].mesh.refine(&l.mesh, v)
		}
		reach = max(reach, after+l.Largest)
		for z, c := range l.c {
			v[z] += float64(c)
		}
		after = largest(v)
		reach = max(reach, after)
	}
	return reach
}

// samplePoints are the points that losses are measured at.
const samplePoints = 4096

// sample calls visit with points from a fixed sequence.
func (s *Scheme) sample(visit func(x []float64)) {
	r := rand.New(rand.NewPCG(1, uint64(s.dim)))
	x := make([]float64, s.dim)
	for range samplePoints {
		for i := range x {
			x[i] = r.Float64()
		}
		visit(x)
	}
}

// unit returns the power of two nearest to the deviation of f, or to that of the scheme if f is nil.
func (s *Scheme) unit(f Func) float64 {
	if f == nil {
		f = s.At
	}
	sum, squares := 0.0, 0.0
	s.sample(func(x []float64) {
		v := f(x) - s.start
		sum += v
		squares += float64(v * v)
	})
	mean := sum / samplePoints
	d := math.Sqrt(max(0, squares/samplePoints-float64(mean*mean)))
	if !(d > 0x1p-100) || !(d < 0x1p100) {
		return 1
	}
	fraction, e := math.Frexp(d)
	if fraction < math.Sqrt2/2 {
		e--
	}
	return math.Ldexp(1, e)
}

// losses returns the mean of ((f − f_k)/unit)² after each grade, NaN if f is nil. At each point only
// the hats around it change anything.
func (s *Scheme) losses(f Func, grades []Grade, unit float64) []float64 {
	losses := make([]float64, len(grades))
	if f == nil {
		for i := range losses {
			losses[i] = math.NaN()
		}
		return losses
	}
	gain := make([]float64, len(grades)) // of Σ (f − f_k)², by each grade
	left := 0.0                          // of it, after all
	s.sample(func(x []float64) {
		sum, target := s.start, f(x)
		square := func() float64 { r := (target - sum) / unit; return float64(r * r) }
		at := square()
		s.walk(x, func(level, node int, add float64) {
			sum += add
			after := square()
			gain[gradeOf(grades, level, node)] += at - after
			at = after
		})
		left += at
	})
	for i := len(grades) - 1; i >= 0; i-- { // from the small to the large: nothing cancels
		losses[i] = left / samplePoints
		left += gain[i]
	}
	return losses
}

// walk calls visit for the hats that are not 0 at x, in order, with what each adds.
func (s *Scheme) walk(x []float64, visit func(level, node int, add float64)) {
	var p place
	for j := range s.levels {
		l := &s.levels[j]
		l.mesh.locate(&p, x)
		for k := range s.dim + 1 {
			if c := l.c[p.node[k]]; c != 0 && p.weight[k] > 0 {
				visit(j, p.node[k], float64(float64(c)*p.weight[k]))
			}
		}
	}
}

// Rounding returns a proven bound on |f_K(x) − model(x)| for x in the cube: what float32 adds to
// Bound when the model with all its grades predicts. The model's hats are exact at the point x'
// that the shifted coordinates are rounded to, so there are three parts:
//
//	the place       Σ_i G_i·|x_i−x'_i|, G_i the largest slope of f_K along axis i, |x_i−x'_i| ≤ 2⁻²³ (2⁻²⁴ for d = 1)
//	the sums        u per addition, u = 2⁻²⁴: of a level at most d+1 hats are not 0 at x', so 2(d+1)·u·max|c| for
//	                the readouts and (d+1)·u·max|f_k−f_0| for the running sum over grades
//	the target      f_0 + unit·z in float64
//
// The factor 1 + 2⁻¹⁰ covers the products of roundings.
func (s *Scheme) Rounding() float64 {
	place := 0.0
	for _, g := range s.levels[len(s.levels)-1].mesh.steepest(s.final) {
		place += float64(g * s.input())
	}
	return (place + s.Accumulation()) * (1 + 0x1p-10)
}

// input bounds the rounding of a shifted coordinate, which is half a unit of the last place of
// float32 in [1,2] or [2,3], and of the float64 sum before it.
func (s *Scheme) input() float64 { return shift(s.dim)*0x1p-24 + 0x1p-51 }

// Accumulation returns the part of Rounding that is left at points whose shifted coordinates are
// float32 numbers: multiples of 2⁻²², of 2⁻²³ for d = 1. It holds for every prefix. There
// the residuals of the model grow by at most twice this from one grade to the next.
func (s *Scheme) Accumulation() float64 {
	const u = 0x1p-24
	reach, sum := s.reach(), 0.0
	n := float64(s.dim + 1)
	for i := range s.levels {
		sum += float64(n * u * (2*s.levels[i].Largest + reach))
	}
	return float64(sum*(1+0x1p-10)) + float64((math.Abs(s.start)+reach)*0x1p-51)
}
