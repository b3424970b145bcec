package kernel

import (
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// Two oracles for a·b + c rounded once. Neither uses floating point arithmetic: bigFMA is
// obviously right and slow, softFMA is checked against it and fast enough for millions.

// bigFMA adds in 700 bits: products of float32 span the bits from 2^255 to 2^-298, so the
// sum is exact, and Float32 rounds it once, to nearest even, subnormals included.
func bigFMA(a, b, c float32) float32 {
	if r, special := specialFMA(a, b, c); special {
		return r
	}
	exact := func(x float32) *big.Float { return new(big.Float).SetPrec(700).SetFloat64(float64(x)) }
	p := exact(a)
	p.Mul(p, exact(b))
	r, _ := p.Add(p, exact(c)).Float32()
	return r
}

// specialFMA is the result where an operand is not finite.
func specialFMA(a, b, c float32) (float32, bool) {
	inf := func(x float32) bool { return math.IsInf(float64(x), 0) }
	nan := float32(math.NaN())
	switch {
	case a != a || b != b || c != c:
		return nan, true
	case inf(a) || inf(b):
		if a == 0 || b == 0 {
			return nan, true
		}
		p := float32(math.Inf(1))
		if math.Signbit(float64(a)) != math.Signbit(float64(b)) {
			p = -p
		}
		if inf(c) && c != p {
			return nan, true
		}
		return p, true
	case inf(c):
		return c, true
	}
	return 0, false
}

// softFMA works on integers. Both terms get their highest bit at bit 62; what is shifted
// out of the smaller one is or-ed into its lowest bit. Where more than one leading bit can
// cancel, the exponents differ by at most one, and since a product has 48 bits nothing is
// lost; elsewhere 38 bits below the rounding position remain.
func softFMA(a, b, c float32) float32 {
	if r, special := specialFMA(a, b, c); special {
		return r
	}
	sa, ma, ea := decode(a)
	sb, mb, eb := decode(b)
	sc, mc, ec := decode(c)
	sp, mp, ep := sa != sb, ma*mb, ea+eb
	if mp == 0 {
		if mc == 0 && sp != sc {
			return 0
		}
		return c
	}
	if mc == 0 {
		return encode(sp, mp, ep)
	}
	mp, ep = align62(mp, ep)
	mc, ec = align62(mc, ec)
	if ec > ep || ec == ep && mc > mp {
		sp, mp, ep, sc, mc, ec = sc, mc, ec, sp, mp, ep
	}
	if d := ep - ec; d >= 63 {
		mc = 1
	} else {
		lost := mc & (1<<d - 1)
		mc >>= d
		if lost != 0 {
			mc |= 1
		}
	}
	if sp == sc {
		mp += mc
	} else {
		mp -= mc
	}
	if mp == 0 {
		return 0
	}
	return encode(sp, mp, ep)
}

// decode returns x = ±m·2^e of a finite x.
func decode(x float32) (negative bool, m uint64, e int) {
	u := math.Float32bits(x)
	m, e = uint64(u&(1<<23-1)), int(u>>23&0xFF)
	if e == 0 {
		e = 1
	} else {
		m |= 1 << 23
	}
	return u>>31 == 1, m, e - 150
}

func align62(m uint64, e int) (uint64, int) {
	s := bits.LeadingZeros64(m) - 1
	return m << s, e - s
}

// encode rounds ±m·2^e, m > 0, to nearest even.
func encode(negative bool, m uint64, e int) float32 {
	s := max(bits.Len64(m)-24, -149-e) // bits to drop
	q := m
	switch {
	case s <= 0:
		q <<= -s
	case s > 64:
		q = 0
	default:
		half := uint64(1) << (s - 1)
		q = m >> (s - 1) >> 1
		rest := m & (2*half - 1)
		if rest > half || rest == half && q&1 == 1 {
			q++
		}
		if q == 1<<24 {
			q >>= 1
			s++
		}
	}
	u := uint32(q) // subnormal: exponent field 0
	if q >= 1<<23 {
		if e+s > 104 {
			u = 0x7F800000
		} else {
			u = uint32(e+s+149)<<23 + uint32(q) // the leading bit of q adds one to the exponent
		}
	}
	if negative {
		u |= 1 << 31
	}
	return math.Float32frombits(u)
}

// A triple maker aims at one way of getting fma wrong.
var tripleMakers = []struct {
	name string
	make func(r *rand.Rand) (a, b, c float32)
}{
	{"any bits", func(r *rand.Rand) (a, b, c float32) {
		return math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32())
	}},
	{"half an ulp of c, nearly", func(r *rand.Rand) (a, b, c float32) {
		e := r.IntN(200) - 100
		c = float32(math.Ldexp(float64(1+float32(r.IntN(1<<23))*0x1p-23), e)) * sign(r)
		a = 1 + float32(r.IntN(9)-4)*0x1p-23
		b = float32(math.Ldexp(float64(1+float32(r.IntN(9)-4)*0x1p-23), e-24)) * sign(r)
		return a, b, c
	}},
	{"ties from few bits", func(r *rand.Rand) (a, b, c float32) {
		sparse := func() float32 {
			m := uint32(1) << r.IntN(23)
			m |= 1 << r.IntN(23)
			return math.Float32frombits(uint32(r.IntN(2))<<31 | uint32(112+r.IntN(30))<<23 | m&(1<<23-1))
		}
		return sparse(), sparse(), sparse()
	}},
	{"cancellation", func(r *rand.Rand) (a, b, c float32) {
		a, b = float32(r.NormFloat64()), float32(r.NormFloat64())
		c = math.Float32frombits(math.Float32bits(-a*b) + uint32(r.IntN(5)) - 2)
		return a, b, c
	}},
	{"subnormal", func(r *rand.Rand) (a, b, c float32) {
		e := r.IntN(120) - 100
		a = float32(math.Ldexp(1+r.Float64(), e)) * sign(r)
		b = float32(math.Ldexp(1+r.Float64(), -149+r.IntN(30)-e)) * sign(r)
		c = math.Float32frombits(uint32(r.IntN(2))<<31 | r.Uint32()>>(8+r.IntN(24)))
		return a, b, c
	}},
	{"overflow", func(r *rand.Rand) (a, b, c float32) {
		e := r.IntN(60)
		a = math.Float32frombits(uint32(127+e)<<23|r.Uint32()>>9) * sign(r)
		b = math.Float32frombits(uint32(127+126-e)<<23|r.Uint32()>>9) * sign(r)
		c = math.Float32frombits(uint32(150+r.IntN(105))<<23|r.Uint32()>>9) * sign(r)
		return a, b, c
	}},
}

func sign(r *rand.Rand) float32 { return float32(1 - 2*r.IntN(2)) }

// awkward are values at the edges of float32.
var awkward = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, 2, 3, 0.5, 1 + 0x1p-23, 1 - 0x1p-24, -1 - 0x1p-23,
	0x1p-12 * (1 + 0x1p-23), 0x1p-12 * (1 - 0x1p-23), 0x1p-24, 0x1p-25, -0x1p-24 * (1 + 0x1p-23), 0x1p23 + 1, 0x1p24 - 1,
	math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-126, 0x1p-126 - 0x1p-149, -0x1p-126, 0x1p-75, -0x1p-75, 0x1p-74,
	math.MaxFloat32, -math.MaxFloat32, 0x1p127, 0x1p64, -0x1p103, 0x1p103,
	float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.Float32frombits(0xFFC00001), math.Float32frombits(0x7F800001),
}

func sameFloat(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func TestFMAOracle(t *testing.T) {
	check := func(a, b, c float32) {
		if got, want := softFMA(a, b, c), bigFMA(a, b, c); !sameFloat(got, want) {
			t.Fatalf("softFMA(%x, %x, %x) = %x, exactly %x", a, b, c, got, want)
		}
	}
	values := awkward
	if short() {
		values = awkward[:24]
	}
	for _, a := range values {
		for _, b := range values {
			for _, c := range values {
				check(a, b, c)
			}
		}
	}
	r := rand.New(rand.NewPCG(11, 1))
	for range scaled(20_000) {
		for _, m := range tripleMakers {
			check(m.make(r))
		}
	}
}

// short tells whether to test less: with -short, and under the race detector, which makes
// the portable code many times slower and adds nothing to the bits.
func short() bool { return testing.Short() || raceEnabled }

// scaled shrinks the number of random cases where time is short.
func scaled(n int) int {
	if short() {
		return n / 8
	}
	return n
}

func TestFMA(t *testing.T) {
	for _, a := range awkward {
		for _, b := range awkward {
			for _, c := range awkward {
				if got, want := fma(a, b, c), softFMA(a, b, c); !sameFloat(got, want) {
					t.Fatalf("fma(%x, %x, %x) = %x, want %x", a, b, c, got, want)
				}
			}
		}
	}
	for i, m := range tripleMakers {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(12, uint64(i)))
			for range scaled(700_000) {
				a, b, c := m.make(r)
				if got, want := fma(a, b, c), softFMA(a, b, c); !sameFloat(got, want) {
					t.Fatalf("fma(%x, %x, %x) = %x, want %x", a, b, c, got, want)
				}
			}
		})
	}
}

// TestFMARows does the same through every implementation: a product with one k and many
// columns is one step of one chain for each column.
func TestFMARows(t *testing.T) {
	const n = 1024
	for _, k := range Available() {
		for i, m := range tripleMakers {
			t.Run(k.Name()+"/"+m.name, func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(13, uint64(i)))
				a, w, dst := NewMatrix(1, 1), NewWeights(1, n), NewMatrix(1, n)
				bias := make([]float32, n)
				for range scaled(100) {
					x, _, _ := m.make(r)
					a.Data[0] = x
					for j := range n {
						_, w.Data[j], bias[j] = m.make(r)
						if j%2 == 0 { // the triples of a maker belong together
							w.Data[j], bias[j] = partner(r, m.make, x)
						}
					}
					k.MatMul(dst, a, w, bias, false)
					for j, got := range dst.Data {
						if want := softFMA(x, w.Data[j], bias[j]); !sameFloat(got, want) {
							t.Fatalf("fma(%x, %x, %x) = %x, want %x", x, w.Data[j], bias[j], got, want)
						}
					}
				}
			})
		}
	}
}

// partner returns b and c for a given a: those of a triple, with b moved by the ratio of
// its a to this one, so that the product stays where the maker wanted it.
func partner(r *rand.Rand, make func(*rand.Rand) (a, b, c float32), a float32) (b, c float32) {
	x, b, c := make(r)
	if x == x && a == a && x != 0 && a != 0 {
		_, ex := math.Frexp(float64(x))
		_, ea := math.Frexp(float64(a))
		if e := ex - ea; e > -100 && e < 100 {
			b *= float32(math.Ldexp(1, e))
		}
	}
	return b, c
}

// TestFMAOneByOne is the smallest product. Its 32 lanes are added, which turns -0 to +0.
func TestFMAOneByOne(t *testing.T) {
	for _, k := range Available() {
		t.Run(k.Name(), func(t *testing.T) {
			a, w, dst, bias := NewMatrix(1, 1), NewWeights(1, 1), NewMatrix(1, 1), make([]float32, 1)
			check := func(x, y, c float32) {
				a.Data[0], w.Data[0], bias[0] = x, y, c
				k.MatMul(dst, a, w, bias, false)
				if want := softFMA(x, y, c) + 0; !sameFloat(dst.Data[0], want) {
					t.Fatalf("fma(%x, %x, %x) = %x, want %x", x, y, c, dst.Data[0], want)
				}
			}
			for _, x := range awkward {
				for _, y := range awkward {
					for _, c := range awkward {
						check(x, y, c)
					}
				}
			}
			r := rand.New(rand.NewPCG(14, 1))
			for range scaled(50_000) {
				for _, m := range tripleMakers {
					check(m.make(r))
				}
			}
		})
	}
}
