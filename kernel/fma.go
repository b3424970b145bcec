package kernel

import "math"

// fma returns a·b + c rounded once to float32.
//
// The product is exact in float64. Its sum with c is rounded to 53 bits, and rounding
// that to float32 is wrong only where the sum lies on the midpoint of two float32 (or is
// too small for a normal float32) although the exact value does not: then the error of
// the sum decides, by rounding the float64 to odd.
func fma(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	s := p + float64(c)
	if exact(s) {
		return float32(s)
	}
	return roundOdd(p, float64(c), s)
}

// exact tells whether float32(s) is the correctly rounded value of a sum that float64
// arithmetic rounded to s.
func exact(s float64) bool {
	u := math.Float64bits(s)
	return u&0x1FFFFFFF != 0x10000000 && u<<1 >= (1023-126)<<53
}

// roundOdd returns p + c, of which s is the float64 sum, rounded once to float32.
func roundOdd(p, c, s float64) float32 {
	// e is the exact error of s (Knuth's two-sum); NaN where s is not finite.
	t := s - p
	e := (p - (s - t)) + (c - t)
	u := math.Float64bits(s)
	if (e > 0 || e < 0) && u&1 == 0 {
		if (e > 0) == (s > 0) {
			u++
		} else {
			u--
		}
	}
	return float32(math.Float64frombits(u))
}
