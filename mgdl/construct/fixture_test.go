package construct

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

// sample is a function with what is known of it.
type sample struct {
	name string
	f    Func
	o    Options
}

func triangle(x float64) float64 { return math.Abs(x - math.Floor(x) - 0.5) }

// waves is sin 2πx + ½ sin 6πx: |f”| ≤ 4π² + 18π².
func waves() sample {
	return sample{"waves", func(x []float64) float64 { return math.Sin(2*math.Pi*x[0]) + 0.5*math.Sin(6*math.Pi*x[0]) },
		Options{Dim: 1, Eps: 5.4e-5, First: 16, Certificate: Certificate{Curvature: 22 * math.Pi * math.Pi, Lower: new(-1.5)}}}
}

// kinks has slopes up to 1 + 0.3·5.
func kinks() sample {
	return sample{"kinks", func(x []float64) float64 { return math.Abs(x[0]-1./3) + 0.3*triangle(5*x[0]) },
		Options{Dim: 1, Eps: 2.5e-3, First: 2, Factor: 2, Certificate: Certificate{Lipschitz: 2.5}}}
}

// saddle has the Hessian's eigenvalues −π² sin π(x±y).
func saddle() sample {
	return sample{"saddle", func(x []float64) float64 {
		return math.Sin(math.Pi*x[0])*math.Cos(math.Pi*x[1]) + 0.2*x[0]
	}, Options{Dim: 2, Eps: 1.5e-3, First: 8, Certificate: Certificate{Curvature: math.Pi * math.Pi, Lower: new(-1.0)}}}
}

// cone has a gradient of length 1.
func cone() sample {
	return sample{"cone", func(x []float64) float64 { return math.Hypot(x[0]-0.5, x[1]-0.3) },
		Options{Dim: 2, Eps: 4e-2, Certificate: Certificate{Lipschitz: 1}}}
}

// product has a Hessian of norm ≤ π²: it is a mean of four sines of π(±x±y±z).
func product() sample {
	return sample{"product", func(x []float64) float64 {
		return math.Sin(math.Pi*x[0]) * math.Sin(math.Pi*x[1]) * math.Sin(math.Pi*x[2])
	}, Options{Dim: 3, Eps: 4e-2, First: 4, Certificate: Certificate{Curvature: math.Pi * math.Pi, Lower: new(0.0)}}}
}

// ridges has slopes up to 1/3 and signs of both kinds.
func ridges() sample {
	return sample{"ridges", func(x []float64) float64 {
		return (math.Abs(math.Sin(7*x[0]))+math.Abs(math.Sin(7*x[1]))+math.Abs(math.Sin(7*x[2])))/21 - 0.08
	}, Options{Dim: 3, Eps: 8e-2, Certificate: Certificate{Lipschitz: 1. / 3}}}
}

// root is continuous with modulus √h and not Lipschitz.
func root() sample {
	return sample{"root", func(x []float64) float64 { return math.Sqrt(math.Abs(x[0]-0.4)) - 0.3 },
		Options{Dim: 1, Eps: 5e-2, Certificate: Certificate{Modulus: math.Sqrt}}}
}

func samples() []sample {
	return []sample{waves(), kinks(), root(), saddle(), cone(), product(), ridges()}
}

func build(t *testing.T, c sample) *Scheme {
	t.Helper()
	s, err := Build(context.Background(), c.f, c.o)
	require.NoError(t, err, c.name)
	return s
}

// points returns the random stream of a test.
func points(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func fill(r *rand.Rand, x []float64) {
	for i := range x {
		x[i] = r.Float64()
	}
}

// forward evaluates a network in float64: the mathematics of its layers.
func forward(n mgdl.Network, x []float64) (features []float64, out float64) {
	for i, l := range n {
		y := make([]float64, l.W.Cols)
		for j := range y {
			y[j] = float64(l.Bias[j])
			for k, v := range x {
				y[j] += float64(float64(l.W.Row(k)[j]) * v)
			}
			if i < len(n)-1 {
				y[j] = max(y[j], 0)
			}
		}
		features, x = x, y
	}
	return features, x[0]
}
