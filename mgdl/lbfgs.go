package mgdl

import "math"

// lbfgsMemory is the number of past steps from which the curvature is estimated.
const lbfgsMemory = 10

// lbfgs moves x toward the minimum of a smooth convex function, from x on, for at most
// iterations steps of the limited-memory BFGS method with backtracking. f returns the
// value at a point and sets g to the gradient there.
//
// It ends early where the gradient or the last decrease has become negligible, or no
// decrease can be found. Values and gradients may be as inexact as float32 products.
func lbfgs(x []float64, iterations int, f func(x, g []float64) float64) {
	const (
		enoughGradient = 1e-6 // largest element
		enoughDecrease = 1e-5 // relative
		sufficient     = 1e-4 // share of the decrease that the slope promises
		tries          = 20
	)
	n := len(x)
	g, d, next, nextG := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	var steps, changes [lbfgsMemory][]float64 // the latest at (count−1) mod lbfgsMemory
	var inverse, alpha [lbfgsMemory]float64
	count := 0
	value := f(x, g)
	for range iterations {
		if !(maxAbs(g) > enoughGradient) {
			return
		}
		// d = −H·g by the two-loop recursion.
		copy(d, g)
		oldest := max(0, count-lbfgsMemory)
		for i := count - 1; i >= oldest; i-- {
			j := i % lbfgsMemory
			alpha[j] = float64(inverse[j] * dot(steps[j], d))
			axpy(d, -alpha[j], changes[j])
		}
		scale := 1.0
		if count > 0 {
			j := (count - 1) % lbfgsMemory
			scale = 1 / (inverse[j] * dot(changes[j], changes[j]))
		} else {
			sum := 0.0
			for _, v := range g {
				sum += math.Abs(v)
			}
			scale = min(1, 1/sum)
		}
		for i := range d {
			d[i] *= -scale
		}
		for i := oldest; i < count; i++ {
			j := i % lbfgsMemory
			axpy(d, -alpha[j]-float64(inverse[j]*dot(changes[j], d)), steps[j])
		}
		slope := dot(g, d)
		if !(slope < 0) {
			return
		}
		t, newValue, found := 1.0, 0.0, false
		for range tries {
			copy(next, x)
			axpy(next, t, d)
			newValue = f(next, nextG)
			if newValue <= value+float64(float64(sufficient*t)*slope) {
				found = true
				break
			}
			// The minimum of the parabola through value, slope and newValue.
			q := float64(-0.5*t) * slope / ((newValue-value)/t - slope)
			t = min(max(q, float64(0.1*t)), float64(0.5*t))
			if t != t {
				return
			}
		}
		if !found {
			return
		}
		j := count % lbfgsMemory
		if steps[j] == nil {
			steps[j], changes[j] = make([]float64, n), make([]float64, n)
		}
		for i := range x {
			steps[j][i] = next[i] - x[i]
			changes[j][i] = nextG[i] - g[i]
		}
		if p := dot(steps[j], changes[j]); p > 1e-10*dot(changes[j], changes[j]) {
			inverse[j] = 1 / p
			count++
		}
		decrease := value - newValue
		copy(x, next)
		copy(g, nextG)
		value = newValue
		if decrease <= enoughDecrease*math.Abs(value) {
			return
		}
	}
}
