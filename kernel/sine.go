package kernel

import "math"

// sineCoefficients are those of the polynomial 2πt ≈ t·(c₀ + c₁t² + … + c₄t⁸) that is within
// 3.4e-9 of sin 2πt for |t| ≤ ¼, the least largest error among odd polynomials of its degree.
var sineCoefficients = [5]float32{0x1.921fb4p+2, -0x1.4abbb6p+5, 0x1.46676ep+6, -0x1.3232fap+6, 0x1.3c4b24p+5}

// roundShift, added and subtracted, rounds a float32 below 2²² to the nearest integer.
const roundShift = 0x1.8p23

// Sine sets sin[i] = sin(2π·p) and, unless it is nil, cos[i] = cos(2π·p) for p = x[i]·unit, a
// phase in cycles; unit = 1/2π takes radians. Every operation is rounded once:
//
//	p = x·unit          t = p − round(p), ties to even      a = |t|
//	s = min(a, ½−a) with the sign of t                      c = ¼ − a
//	sin = P(s)          cos = P(c)                          P(f) = f·(c₀ + q·(c₁ + q·(c₂ + q·(c₃ + q·c₄)))), q = f·f
//
// with every product and sum in P rounded. Results are within 2.5e-7 of the sine of p for
// |p| below 2²², beyond which only their bits are promised. NaN and infinities give NaN.
//
// All have one length. sin may be x; otherwise they do not overlap.
func (k Kernel) Sine(sin, cos, x []float32, unit float32) {
	if len(sin) != len(x) || cos != nil && len(cos) != len(x) {
		panic("kernel: lengths of sine, cosine and phases differ")
	}
	if shifted(sin, x) || overlap(cos, x) || overlap(cos, sin) {
		panic("kernel: dst overlaps an operand")
	}
	if raceEnabled {
		raceReadSlice(x)
		raceWriteSlice(sin)
		raceWriteSlice(cos)
	}
	i := k.resolve()
	for o := 0; o < len(x); o += updateBlock {
		e := min(o+updateBlock, len(x))
		if cos == nil {
			sineOn(i, sin[o:e], x[o:e], unit)
		} else {
			sineCosineOn(i, sin[o:e], cos[o:e], x[o:e], unit)
		}
	}
}

// Multiply sets dst = dst·src. They have one length and do not overlap.
func (k Kernel) Multiply(dst, src []float32) {
	checkUpdate(dst, src)
	i := k.resolve()
	for o := 0; o < len(dst); o += updateBlock {
		e := min(o+updateBlock, len(dst))
		multiplyOn(i, dst[o:e], src[o:e])
	}
}

// phase returns t and |t| of Sine.
func phase(x, unit float32) (t, a float32) {
	p := float32(x * unit)
	t = p - (float32(p+roundShift) - roundShift)
	return t, math.Float32frombits(math.Float32bits(t) &^ (1 << 31))
}

// foldSine returns s of Sine.
func foldSine(t, a float32) float32 {
	if b := 0.5 - a; b < a {
		a = b
	}
	return math.Float32frombits(math.Float32bits(a) ^ math.Float32bits(t)&(1<<31))
}

// sinePolynomial is P of Sine.
func sinePolynomial(f float32) float32 {
	c := &sineCoefficients
	q := float32(f * f)
	s := float32(c[4]*q) + c[3]
	s = float32(s*q) + c[2]
	s = float32(s*q) + c[1]
	s = float32(s*q) + c[0]
	return float32(s * f)
}

func sineGeneric(sin, x []float32, unit float32) {
	sin = sin[:len(x)]
	for i, v := range x {
		sin[i] = sinePolynomial(foldSine(phase(v, unit)))
	}
}

func sineCosineGeneric(sin, cos, x []float32, unit float32) {
	sin, cos = sin[:len(x)], cos[:len(x)]
	for i, v := range x {
		t, a := phase(v, unit)
		sin[i] = sinePolynomial(foldSine(t, a))
		cos[i] = sinePolynomial(0.25 - a)
	}
}

func multiplyGeneric(dst, src []float32) {
	for i, v := range src {
		dst[i] *= v
	}
}
