package kernel

import "math"

// AdamStep holds the settings of one step of Adam with decoupled weight decay (AdamW).
type AdamStep struct {
	Rate         float32 // learning rate of this step
	Beta1, Beta2 float32 // decay of the two moments
	Epsilon      float32 // above 0
	Decay        float32 // weight decay, multiplied by Rate
	Step         int     // number of this step, from 1: corrects the bias of the moments
}

// adamCoefficients are the float32 constants of one step.
type adamCoefficients struct {
	beta1c  float32 // 1 − β₁
	beta2c  float32 // 1 − β₂
	scale   float32 // 1 / √(1 − β₂ᵗ)
	epsilon float32
	rate    float32 // Rate / (1 − β₁ᵗ)
	keep    float32 // 1 − Rate·Decay
}

func (s AdamStep) coefficients() adamCoefficients {
	return adamCoefficients{
		beta1c:  1 - s.Beta1,
		beta2c:  1 - s.Beta2,
		scale:   float32(1 / math.Sqrt(1-power(float64(s.Beta2), s.Step))),
		epsilon: s.Epsilon,
		rate:    float32(float64(s.Rate) / (1 - power(float64(s.Beta1), s.Step))),
		keep:    1 - float32(s.Rate*s.Decay),
	}
}

// power returns x to the n-th power by repeated squaring, each product rounded.
func power(x float64, n int) float64 {
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			p = float64(p * x)
		}
		x = float64(x * x)
	}
	return p
}

// adamTiny is the magnitude below which moments become zero. The moments of a weight
// whose gradient stays zero decay geometrically, and arithmetic on denormals is many times
// slower on most CPUs; √2⁻¹⁰⁰ is far below any sensible ε.
const adamTiny = 0x1p-100

// Adam updates the weights w and the moments m and v by the gradient g:
//
//	m = flush(fma(1−β₁, g−m, m))      flush(x) is 0 where |x| < 2⁻¹⁰⁰, x elsewhere
//	v = flush(fma(1−β₂, g·g−v, v))
//	w = fma(−rate/(1−β₁ᵗ), m / fma(√v, 1/√(1−β₂ᵗ), ε), w·(1−rate·decay))
//
// All four have one length and do not overlap. Panics if Step is
// below 1 or Epsilon not above 0.
func (k Kernel) Adam(w, g, m, v []float32, s AdamStep) {
	if s.Step < 1 {
		panic("kernel: step of Adam below 1")
	}
	if !(s.Epsilon > 0) {
		panic("kernel: epsilon of Adam not above 0")
	}
	if len(g) != len(w) || len(m) != len(w) || len(v) != len(w) {
		panic("kernel: lengths of weights, gradient and moments differ")
	}
	if overlap(w, g) || overlap(w, m) || overlap(w, v) || overlap(g, m) || overlap(g, v) || overlap(m, v) {
		panic("kernel: weights, gradient and moments overlap")
	}
	if raceEnabled {
		raceReadSlice(g)
		raceWriteSlice(w)
		raceWriteSlice(m)
		raceWriteSlice(v)
	}
	i, c := k.resolve(), s.coefficients()
	for o := 0; o < len(w); o += updateBlock {
		e := min(o+updateBlock, len(w))
		adamOn(i, w[o:e], g[o:e], m[o:e], v[o:e], &c)
	}
}

// updateBlock bounds the elements of one assembly call of an elementwise operation:
// 50 µs where every element costs 3 ns.
const updateBlock = 1 << 14

// Lerp moves dst toward src: dst = fma(t, src−dst, dst). It is the step of a running
// average of weights. dst and src have one length; they do not overlap.
func (k Kernel) Lerp(dst, src []float32, t float32) {
	checkUpdate(dst, src)
	i := k.resolve()
	for o := 0; o < len(dst); o += updateBlock {
		e := min(o+updateBlock, len(dst))
		lerpOn(i, dst[o:e], src[o:e], t)
	}
}

// Add sets dst = dst + src. They have one length and do not overlap.
func (k Kernel) Add(dst, src []float32) {
	checkUpdate(dst, src)
	i := k.resolve()
	for o := 0; o < len(dst); o += updateBlock {
		e := min(o+updateBlock, len(dst))
		addOn(i, dst[o:e], src[o:e])
	}
}

func checkUpdate(dst, src []float32) {
	if len(src) != len(dst) {
		panic("kernel: lengths of dst and src differ")
	}
	if overlap(dst, src) {
		panic("kernel: dst overlaps src")
	}
	if raceEnabled {
		raceReadSlice(src)
		raceWriteSlice(dst)
	}
}
