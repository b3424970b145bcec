package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSine holds Sine to its accuracy, against the sine of the very phase in float64.
func TestSine(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x := []float32{0, float32(math.Copysign(0, -1)), 0.125, 0.25, -0.25, 0.5, -0.5, 0.75, 1, 1 << 21, 1<<21 + 0.25, -(1<<21 + 0.75), 1e-30}
	for len(x) < 4000 {
		x = append(x, float32(math.Ldexp(2*r.Float64()-1, r.IntN(24)-2)))
	}
	everywhere(t, func(t *testing.T, k Kernel) {
		s, c := make([]float32, len(x)), make([]float32, len(x))
		for _, unit := range []float32{1, 0.5 / math.Pi, 3} {
			k.Sine(s, c, x, unit)
			for i, v := range x {
				p := float64(v * unit)
				if math.Abs(p) >= 1<<22 {
					continue
				}
				p -= math.Round(p) // exact
				ws, wc := math.Sincos(2 * math.Pi * p)
				if d := math.Abs(float64(s[i]) - ws); d > 2.5e-7 {
					t.Fatalf("sine of %v·%v is %v, want %v", v, unit, s[i], ws)
				}
				if d := math.Abs(float64(c[i]) - wc); d > 2.5e-7 {
					t.Fatalf("cosine of %v·%v is %v, want %v", v, unit, c[i], wc)
				}
			}
		}
		if math.Float32bits(x[1]) != 1<<31 {
			t.Fatal("the phases have changed")
		}
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			s, c := []float32{float32(v)}, []float32{0}
			k.Sine(s, c, s, 1)
			if s[0] == s[0] || c[0] == c[0] {
				t.Errorf("sine and cosine of %v are %v and %v, want NaN", v, s[0], c[0])
			}
		}
	})
}
