package mgdl

import (
	"math"
	"slices"

	"github.com/multigrade/multigrade/kernel"
)

// start draws the first weights that the plan asks for.
func (l *planLearner) start() {
	grade := l.grade
	switch l.plan.Start {
	case StartUniform, StartGlorot, StartHeNormal:
		grade = 0 // the papers set their seed anew for every grade
	}
	s := newStream(l.t.recipe.seed, startWeights, grade, 0)
	hidden := len(l.p.W) - 1
	switch l.plan.Start {
	case StartUniform:
		l.startUniform(s)
	case StartGlorot:
		for i, w := range l.p.W {
			fillNormal(w, math.Sqrt(2/float64(w.K+w.N)), s)
			for n := range l.p.B[i] {
				l.p.B[i][n] = float32(float64(0.01 * s.normal()))
			}
		}
	case StartHeNormal:
		for _, w := range l.p.W {
			fillNormal(w, math.Sqrt(2/float64(w.K)), s)
		}
	case StartRamps:
		l.startRamps(s)
	case StartWaves:
		l.startWaves(s)
	default:
		for _, w := range l.p.W[:hidden] {
			fillNormal(w, math.Sqrt(2/float64(w.K)), s)
		}
		if l.plan.Start == StartHinges {
			l.startHinges(s)
		}
	}
}

// fillNormal draws w, row by row.
func fillNormal(w kernel.Weights, deviation float64, s *stream) {
	for k := range w.K {
		for n := range w.N {
			w.Data[w.Index(k, n)] = float32(float64(deviation * s.normal()))
		}
	}
}

func (l *planLearner) startUniform(s *stream) {
	for i, w := range l.p.W {
		bound := 1 / math.Sqrt(float64(w.K))
		draw := func() float32 { return float32(float64(bound * (float64(2*s.uniform()) - 1))) }
		for k := range w.K {
			for n := range w.N {
				w.Data[w.Index(k, n)] = draw()
			}
		}
		for n := range l.p.B[i] {
			l.p.B[i][n] = draw()
		}
	}
}

// startHinges sets the biases of the first layer so that each hinge passes through a random
// point between two random rows.
func (l *planLearner) startHinges(s *stream) {
	w := l.p.W[0]
	for n := range w.N {
		a, b := l.in.Row(s.intn(l.t.n)), l.in.Row(s.intn(l.t.n))
		l.p.B[0][n] = hinge(w, n, a, b, s.uniform())
	}
}

// hinge returns the bias that puts the hinge of unit n through the point b + u·(a − b).
func hinge(w kernel.Weights, n int, a, b []float32, u float64) float32 {
	sum := 0.0
	for k := range w.K {
		x := float64(b[k]) + float64(u*(float64(a[k])-float64(b[k])))
		sum += float64(x * float64(w.Data[w.Index(k, n)]))
	}
	return float32(-sum)
}

// startWaves draws frequencies within ±Band cycles per unit of the inputs; further layers
// have small phases.
func (l *planLearner) startWaves(s *stream) {
	w := l.p.W[0]
	for k := range w.K {
		for n := range w.N {
			f := float64(l.plan.Band * (float64(2*s.uniform()) - 1))
			w.Data[w.Index(k, n)] = float32(2 * math.Pi * f)
		}
	}
	for n := range l.p.B[0] {
		l.p.B[0][n] = float32(2 * math.Pi * s.uniform())
	}
	for _, w := range l.p.W[1 : len(l.p.W)-1] {
		fillNormal(w, math.Sqrt(1/float64(w.K)), s)
	}
}

// startRamps starts a network that can follow the data in detail. The first layer has ramps,
// hinges at equal steps over the range of each input in turn; second differences of
// neighbouring ramps are tents, one a knot. Units of the second layer begin as independent
// normal mixtures of the tents, so that they have independent values at the knots: on ramps
// themselves, ordinary weights would give them integrated noise, without any detail.
//
// The slope of the ramps is the geometric mean of those that the data suggest: 1 over the
// range, and 1 over the step between knots. It decides how far a step of training moves a
// hinge. Values at knots have deviation 1; biases of the second layer have 0.3.
func (l *planLearner) startRamps(s *stream) {
	const spread = 0.3
	first := l.p.W[0]
	inputs := first.K
	tents := kernel.NewMatrix(first.N, first.N) // row j: the tent of unit j in terms of ramps
	for j := range inputs {
		units := l.ramps(j)
		lo, hi := l.span(j)
		gap := (hi - lo) / float64(max(1, len(units)-2))
		slope := 1 / math.Sqrt(gap*(hi-lo))
		for i, n := range units {
			knot := lo + float64(float64(i-1)*gap)
			first.Data[first.Index(j, n)] = float32(slope)
			l.p.B[0][n] = float32(float64(-slope * knot))
			for d, c := range [...]float64{1, -2, 1} {
				if i+d < len(units) {
					tents.Row(n)[units[i+d]] = float32(c / (slope * gap))
				}
			}
		}
	}
	if len(l.p.W) < 3 {
		return
	}
	second := l.p.W[1]
	mix := make([]float64, first.N)
	deviation := 1 / math.Sqrt(float64(inputs))
	for n := range second.N {
		clear(mix)
		for j := range first.N {
			g := float64(deviation * s.normal())
			for i, c := range tents.Row(j) {
				if c != 0 {
					mix[i] += float64(g * float64(c))
				}
			}
		}
		for i, v := range mix {
			second.Data[second.Index(i, n)] = float32(v)
		}
		l.p.B[1][n] = float32(float64(spread * s.normal()))
	}
	for _, w := range l.p.W[2 : len(l.p.W)-1] {
		fillNormal(w, math.Sqrt(2/float64(w.K)), s)
	}
}

// ramps returns the units of the first layer that are ramps of input j: equal shares.
func (l *planLearner) ramps(j int) []int {
	w := l.p.W[0]
	var units []int
	for n := w.N * j / w.K; n < w.N*(j+1)/w.K; n++ {
		units = append(units, n)
	}
	return units
}

// span returns the least and the largest value of input j on the training rows, which
// differ.
func (l *planLearner) span(j int) (lo, hi float64) {
	column := make([]float32, l.t.n)
	for i := range column {
		column[i] = l.in.Row(i)[j]
	}
	lo, hi = float64(slices.Min(column)), float64(slices.Max(column))
	if !(lo < hi) {
		hi = lo + 1
	}
	return lo, hi
}
