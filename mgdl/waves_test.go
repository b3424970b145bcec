package mgdl

import (
	"math"
	"testing"

	"github.com/multigrade/multigrade/kernel"
)

// tones is the sum of 20 waves of 10, 20, …, 200 periods on [0, 1].
func tones(x float64) float64 {
	y := 0.0
	for j := 1; j <= 20; j++ {
		y += math.Sin(float64(2*math.Pi*float64(10*j)*x) + 0.37*float64(j*j))
	}
	return y
}

// Random waves resolve a function of limited band to rounding, if there are 1.4 of them to
// every half period of the interval or more: here with all arithmetic in float64, which shows
// what the architecture can do, whatever the kernels round.
func TestWavesInFloat64(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const n, width, band = 6000, 1024, 220
	s := newStream(1, shuffleRows, 0, 0)
	frequency, phase := make([]float64, width), make([]float64, width)
	for i := range frequency {
		frequency[i], phase[i] = band*s.uniform(), s.uniform()
	}
	waves := func(x float64) []float64 {
		row := make([]float64, width)
		for i := range row {
			row[i] = math.Sin(2 * math.Pi * (frequency[i]*x + phase[i]))
		}
		return row
	}
	rows, left := make([][]float64, n), make([]float64, n)
	gram := make([]float64, width*width)
	for m := range rows {
		x := float64(m) / n
		rows[m], left[m] = waves(x), tones(x)
		for i, v := range rows[m] {
			g := gram[i*width:][:i+1]
			for j := range g {
				g[j] += v * rows[m][j]
			}
		}
	}
	// Normal equations with a little penalty lose half the digits; refinement by residuals
	// of the rows themselves brings back what the misfit needs.
	for i := range width {
		gram[i*width+i] += 1e-12 * n
	}
	factor(gram, width)
	coefficients := make([]float64, width)
	for range 30 {
		step := make([]float64, width)
		for m, row := range rows {
			for i, v := range row {
				step[i] += v * left[m]
			}
		}
		substitute(gram, step)
		for m, row := range rows {
			for i, v := range row {
				left[m] -= v * step[i]
			}
		}
		for i, v := range step {
			coefficients[i] += v
		}
	}
	error2, size := 0.0, 0.0
	for m := range 2000 {
		x := (float64(m) + 0.31) / 2000
		y := tones(x)
		e := y
		for i, v := range waves(x) {
			e -= v * coefficients[i]
		}
		error2, size = error2+e*e, size+y*y
	}
	if rse := error2 / size; !(rse < 1e-13) {
		t.Errorf("test RSE %.3g, want below 1e-13", rse)
	}
}

// factor replaces the lower half of a symmetric matrix by its Cholesky factor.
func factor(a []float64, n int) {
	for i := range n {
		for j := range i + 1 {
			v := a[i*n+j]
			for k := range j {
				v -= a[i*n+k] * a[j*n+k]
			}
			if i == j {
				a[i*n+i] = math.Sqrt(v)
			} else {
				a[i*n+j] = v / a[j*n+j]
			}
		}
	}
}

// substitute solves with a Cholesky factor.
func substitute(l, b []float64) {
	n := len(b)
	for i := range n {
		for k := range i {
			b[i] -= l[i*n+k] * b[k]
		}
		b[i] /= l[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			b[i] -= l[k*n+i] * b[k]
		}
		b[i] /= l[i*n+i]
	}
}

// What the model file and the kernels keep of that: float32 weights and activations.
func TestWavesInFloat32(t *testing.T) {
	if testing.Short() || kernel.Default().Name() == "generic" {
		t.Skip("takes seconds")
	}
	table := func(n int, offset float64) Data {
		x, y := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i] = (float64(i) + offset) / float64(n)
			y[i] = tones(x[i])
		}
		return NewData(x, 1, y, 1)
	}
	holdout, test := table(500, 0.7), table(2000, 0.31)
	m, err := Train(t.Context(), table(6000, 0), Config{Raw: true, Holdout: &holdout, Workers: 2, Seed: 1,
		Plan: []GradePlan{{Hidden: []int{1024}, Activation: Sine, Start: StartWaves, Band: 220, Normalise: true, Readout: true}}})
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := m.Evaluate(test)
	if err != nil {
		t.Fatal(err)
	}
	if rse := metrics[1].RSE; !(rse < 1e-8) {
		t.Errorf("test RSE %.3g, want below 1e-8", rse)
	}
}
