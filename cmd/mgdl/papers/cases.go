// Package papers has the published experiments on multigrade networks that can be generated:
// their data, their grades and schedules, and what was printed of their results.
package papers

import (
	"math"

	"github.com/multigrade/multigrade/mgdl"
)

// A Set is the data of a case: to train on, to choose by, and to report on.
type Set struct {
	Train, Val, Test mgdl.Data
}

// data returns a table of points, one slice for each input, and what f gives of their index.
func data(y []float64, x ...[]float64) mgdl.Data {
	var rows []float64
	for i := range y {
		for _, c := range x {
			rows = append(rows, c[i])
		}
	}
	return mgdl.NewData(rows, len(x), y, 1)
}

// values returns f of each element of x.
func values(x []float64, f func(float64) float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}

// steps returns 0, 1/n, …, (n−1)/n; linspace returns n points from 0 to 1, both included.
func steps(n int) []float64    { return grid(n, float64(n)) }
func linspace(n int) []float64 { return grid(n, float64(n-1)) }

func grid(n int, by float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i) / by
	}
	return x
}

// tones returns the sum over j of a(j, x)·sin(2π·10(j+1)·x + φ_j), n tones; the phases are
// the first of 40 uniform in [0, 2π) of seed 0.
func tones(n int, a func(j int, x float64) float64) func(float64) float64 {
	phases := uniforms(0, 40)
	return func(x float64) float64 {
		sum := 0.0
		for j := range n {
			sum += a(j, x) * math.Sin(2*math.Pi*(10*float64(j+1)*x+phases[j]))
		}
		return sum
	}
}

func constant(int, float64) float64       { return 1 }
func varying(j int, x float64) float64    { return math.Exp(-x) * math.Cos(float64(j)*x) }
func decreasing(j int, _ float64) float64 { return 1 - 0.95*float64(j)/19 }
func increasing(j int, _ float64) float64 { return 0.025 + 0.975*float64(j)/39 }

// line is 20 tones on [0, 1).
func line(a func(int, float64) float64) Set {
	f := tones(20, a)
	make := func(x []float64) mgdl.Data { return data(values(x, f), x) }
	return Set{make(steps(6000)), make(uniforms(0, 2000)), make(uniforms(1, 2000))}
}

// curve is 40 tones along t, seen through the point (1 + sin(2πqt)/2)(cos 2πt, sin 2πt).
func curve(a func(int, float64) float64, q float64) Set {
	f := tones(40, a)
	make := func(t []float64) mgdl.Data {
		radius := func(t float64) float64 { return 1 + math.Sin(2*math.Pi*q*t)/2 }
		x := values(t, func(t float64) float64 { return radius(t) * math.Cos(2*math.Pi*t) })
		y := values(t, func(t float64) float64 { return radius(t) * math.Sin(2*math.Pi*t) })
		return data(values(t, f), x, y)
	}
	return Set{make(steps(12000)), make(uniforms(0, 4000)), make(uniforms(1, 4000))}
}

// oscillation is f on [0, 1]. What validation there is in the paper is training points with
// a little noise; here every fifth point, without.
func oscillation(f func(float64) float64) Set {
	x := linspace(5000)
	var val []float64
	for i := 2; i < len(x); i += 5 {
		val = append(val, x[i])
	}
	make := func(x []float64) mgdl.Data { return data(values(x, f), x) }
	return Set{make(x), make(val), make(linspace(1000))}
}

// threeTones is the target of the study of gradient descent.
func threeTones() Set {
	phases := [...]float64{6.0652933, 1.9772031, 3.9774444}
	f := func(x float64) float64 {
		sum := 0.0
		for j, k := range [...]float64{1, 5.5, 10} {
			sum += math.Sin(2*math.Pi*k*x + phases[j])
		}
		return sum
	}
	make := func(x []float64) mgdl.Data { return data(values(x, f), x) }
	return Set{make(linspace(1024)), make(uniforms(1, 1024)), make(linspace(10000))}
}
