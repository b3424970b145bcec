package mgdl

import "math"

// The elementary functions that promised results go through. Those of package math have
// assembly of their own on some architectures; these are the same float64 operations in
// the same order everywhere: no product is fused with the sum it stands beside.

// expTable holds 2^(i/64), rounded, less i<<46: adding k<<46 for an integer k of the form
// 64·e + i gives the bits of 2^(k/64).
var expTable = [64]uint64{
	0x3ff0000000000000, 0x3fefec9a3e778061, 0x3fefd9b0d3158574, 0x3fefc74518759bc8,
	0x3fefb5586cf9890f, 0x3fefa3ec32d3d1a2, 0x3fef9301d0125b51, 0x3fef829aaea92de0,
	0x3fef72b83c7d517b, 0x3fef635beb6fcb75, 0x3fef54873168b9aa, 0x3fef463b88628cd6,
	0x3fef387a6e756238, 0x3fef2b4565e27cdd, 0x3fef1e9df51fdee1, 0x3fef1285a6e4030b,
	0x3fef06fe0a31b715, 0x3feefc08b26416ff, 0x3feef1a7373aa9cb, 0x3feee7db34e59ff7,
	0x3feedea64c123422, 0x3feed60a21f72e2a, 0x3feece086061892d, 0x3feec6a2b5c13cd0,
	0x3feebfdad5362a27, 0x3feeb9b2769d2ca7, 0x3feeb42b569d4f82, 0x3feeaf4736b527da,
	0x3feeab07dd485429, 0x3feea76f15ad2148, 0x3feea47eb03a5585, 0x3feea23882552225,
	0x3feea09e667f3bcd, 0x3fee9fb23c651a2f, 0x3fee9f75e8ec5f74, 0x3fee9feb564267c9,
	0x3feea11473eb0187, 0x3feea2f336cf4e62, 0x3feea589994cce13, 0x3feea8d99b4492ed,
	0x3feeace5422aa0db, 0x3feeb1ae99157736, 0x3feeb737b0cdc5e5, 0x3feebd829fde4e50,
	0x3feec49182a3f090, 0x3feecc667b5de565, 0x3feed503b23e255d, 0x3feede6b5579fdbf,
	0x3feee89f995ad3ad, 0x3feef3a2b84f15fb, 0x3feeff76f2fb5e47, 0x3fef0c1e904bc1d2,
	0x3fef199bdd85529c, 0x3fef27f12e57d14b, 0x3fef3720dcef9069, 0x3fef472d4a07897c,
	0x3fef5818dcfba487, 0x3fef69e603db3285, 0x3fef7c97337b9b5f, 0x3fef902ee78b3ff6,
	0x3fefa4afa2a490da, 0x3fefba1bee615a27, 0x3fefd0765b6e4540, 0x3fefe7c1819e90d8,
}

const (
	expScale  = 0x1.71547652b82fep+06 // 64/ln 2
	expStepHi = 0x1.62e42feep-07      // ln 2/64 in two parts: products of the first with
	expStepLo = 0x1.a39ef35793c76p-39 // integers below 2^21 are exact
	expShift  = 0x1.8p52              // adding it rounds to an integer
)

// expf64 returns e^x with a relative error below 2^-52: 2^(k/64) times the Taylor
// polynomial of e^r, where x = k·ln 2/64 + r and |r| ≤ ln 2/128, so the first term left
// out is below 4e-17. Results that would be subnormal are 0.
func expf64(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.78:
		if x > 709.782712893384 {
			return math.Inf(1)
		}
		return float64(expf64(x-1) * math.E)
	case x < -708.3:
		return 0
	}
	return expCore(x)
}

// expCore is expf64 for −708.3 ≤ x ≤ 709.78.
func expCore(x float64) float64 { return expRest(expReduce(x)) }

// expReduce returns 2^(k/64) and r of expf64. It and expRest are two functions because
// each is small enough to be inlined into loops.
func expReduce(x float64) (s, r float64) {
	t := float64(x*expScale) + expShift
	u := math.Float64bits(t)
	t -= expShift
	return math.Float64frombits(expTable[u&63] + u<<46), (x - float64(t*expStepHi)) - float64(t*expStepLo)
}

// expRest returns s·e^r for small r.
func expRest(s, r float64) float64 {
	q := float64(r * r)
	p := (1.0/6 + float64(r*(1.0/24))) + float64(q*(1.0/120))
	return s + float64(s*(r+(float64(q*0.5)+float64(float64(q*r)*p))))
}

const (
	ln2Hi = 0x1.62e42fefp-01      // ln 2 in two parts: products of the first with
	ln2Lo = 0x1.473de6af278edp-34 // integers below 2^20 are exact
)

// logf64 returns the natural logarithm of x with a relative error below 1e-15. With
// x = 2^k·m, √½ ≤ m < √2 and s = (m−1)/(m+1),
//
//	log x = k·ln 2 + 2·(s + s³/3 + s⁵/5 + …)
//
// where s² < 0.0295, so the first term left out is below 1e-17 of the sum.
func logf64(x float64) float64 {
	switch {
	case x != x || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	k := 0
	if x < 0x1p-1022 {
		x *= 0x1p54
		k = -54
	}
	u := math.Float64bits(x)
	k += int(u>>52) - 1023
	m := math.Float64frombits(u&(1<<52-1) | 1023<<52)
	if m >= math.Sqrt2 {
		m *= 0.5
		k++
	}
	s := (m - 1) / (m + 1)
	q := float64(s * s)
	sum := 0.0
	for _, c := range [...]float64{1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3} {
		sum = float64((sum + c) * q)
	}
	s *= 2
	return float64(float64(k)*ln2Hi) + (s + (float64(s*sum) + float64(float64(k)*ln2Lo)))
}

// cospi returns cos(πx) with an absolute error below 2e-16: for the nearest half integer
// n/2, ±cos or ±sin of the angle left over, at most π/4, by Taylor polynomials whose
// first terms left out are below 1e-17. x is finite and below 2^51 in magnitude.
func cospi(x float64) float64 {
	n := math.Floor(float64(2*x) + 0.5)
	t := float64(math.Pi * (x - float64(0.5*n)))
	q := float64(t * t)
	quadrant := int64(n) & 3
	first := 18 // cos t = 1 − q/(1·2)·(1 − q/(3·4)·(…))
	if quadrant&1 == 1 {
		first = 19 // sin t = t·(1 − q/(2·3)·(1 − q/(4·5)·(…)))
	}
	sum := 1.0
	for i := first; i > 1; i -= 2 {
		sum = 1 - float64(float64(q*sum)/float64(i*(i-1)))
	}
	if quadrant&1 == 1 {
		sum *= t
	}
	if quadrant == 1 || quadrant == 2 {
		return -sum
	}
	return sum
}
