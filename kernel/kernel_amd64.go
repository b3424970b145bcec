//go:build !purego && !noasm

package kernel

import "github.com/klauspost/cpuid/v2"

// detect returns the implementations that can run here, best first. cpuid reports a
// vector extension only where the operating system saves its registers.
func detect() []isa {
	var is []isa
	if cpuid.CPU.Supports(avx512Features...) {
		is = append(is, avx512)
	}
	if cpuid.CPU.Supports(avx2Features...) {
		is = append(is, avx2)
	}
	return append(is, generic)
}

var (
	avx2Features   = []cpuid.FeatureID{cpuid.AVX2, cpuid.FMA3}
	avx512Features = []cpuid.FeatureID{cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL}
)

// features returns the CPU features the choice looked at and found.
func features() []string {
	var names []string
	for _, f := range append(avx2Features[:len(avx2Features):len(avx2Features)], avx512Features...) {
		if cpuid.CPU.Supports(f) {
			names = append(names, f.String())
		}
	}
	return names
}

//go:noescape
func product6x32x2AVX512(t *productTile)

//go:noescape
func product1x32x1AVX512(t *productTile)

//go:noescape
func product1x32x2AVX512(t *productTile)

//go:noescape
func product1x32x4AVX512(t *productTile)

//go:noescape
func product2x32x2AVX512(t *productTile)

//go:noescape
func product4x32x1AVX512(t *productTile)

//go:noescape
func product6x16x4AVX512(t *productTile)

//go:noescape
func product3x16x4AVX512(t *productTile)

//go:noescape
func product3x32x4AVX512(t *productTile)

//go:noescape
func product4x16x1AVX2(t *productTile)

//go:noescape
func row64x2AVX512(t *productTile, far int)

//go:noescape
func lanesAVX512(t *productTile)

//go:noescape
func lanes8AVX512(t *productTile)

//go:noescape
func gradient8x32AVX512(t *gradientTile)

//go:noescape
func gradient8xnAVX512(t *gradientTile)

//go:noescape
func gradient16x16AVX512(t *gradientTile)

//go:noescape
func gradient4x32AVX512(t *gradientTile)

//go:noescape
func gradient2x32AVX512(t *gradientTile)

//go:noescape
func gradient6x16AVX2(t *gradientTile)

//go:noescape
func gradient1x32AVX512(t *gradientTile)

//go:noescape
func columns32AVX512(t *gradientTile)

//go:noescape
func columns64AVX512(t *gradientTile)

//go:noescape
func cross4x16AVX512(t *crossTile)

//go:noescape
func cross1x16AVX512(t *crossTile)

//go:noescape
func product3x16x2AVX2(t *productTile)

//go:noescape
func product1x32x2AVX2(t *productTile)

//go:noescape
func product1x32x1AVX2(t *productTile)

//go:noescape
func product2x16x2AVX2(t *productTile)

//go:noescape
func product3x16x4AVX2(t *productTile)

//go:noescape
func product1x16x4AVX2(t *productTile)

//go:noescape
func lanesAVX2(t *productTile)

//go:noescape
func gradient4x16AVX2(t *gradientTile)

//go:noescape
func gradient1x16AVX2(t *gradientTile)

//go:noescape
func columns16AVX2(t *gradientTile)

//go:noescape
func columns64AVX2(t *gradientTile)

//go:noescape
func cross4x8AVX2(t *crossTile)

//go:noescape
func cross1x8AVX2(t *crossTile)

//go:noescape
func sumsAVX512(s *laneSums, x *float32, n int)

//go:noescape
func sumsAVX2(s *laneSums, x *float32, n int)

//go:noescape
func distanceAVX512(s *laneSums, x, y *float32, n int)

//go:noescape
func distanceAVX2(s *laneSums, x, y *float32, n int)

//go:noescape
func residualAVX512(s *laneSums, dst, x, y *float32, n int)

//go:noescape
func residualAVX2(s *laneSums, dst, x, y *float32, n int)

//go:noescape
func addAVX512(dst, src *float32, n int)

//go:noescape
func addAVX2(dst, src *float32, n int)

//go:noescape
func lerpAVX512(dst, src *float32, n int, t float32)

//go:noescape
func lerpAVX2(dst, src *float32, n int, t float32)

//go:noescape
func adamAVX512(w, grad, m, v *float32, n int, c *adamCoefficients)

//go:noescape
func adamAVX2(w, grad, m, v *float32, n int, c *adamCoefficients)

//go:noescape
func packAVX2(dst, src *float32, rows, stride int)

//go:noescape
func transposeAVX2(dst, src *float32, k, n int)

// nearestBytes returns the size of the first-level data cache.
func nearestBytes() int {
	if n := cpuid.CPU.Cache.L1D; n > 0 {
		return n
	}
	return 32 << 10
}

// productOn computes one panel of a product.
func productOn(i isa, o order, t *productTile) {
	switch i {
	case avx512:
		productAVX512(o, t)
	case avx2:
		productAVX2(o, t)
	default:
		productPortable(o, t)
	}
}

// productAVX512 gives the tall tiles as many rows as they take and the rest to the others.
// It uses t up.
func productAVX512(o order, t *productTile) {
	rows, height := t.rows, 6
	switch {
	case o == lanes:
		height = 8
	case o == oneChain:
		height = 4
	case o == fourChains && (t.n > 16 || rows < 6):
		height = 3
	}
	if o == lanes && t.y != nil || rows == 1 {
		height = rows + 1 // no tall tile
	}
	t.rows -= rows % height
	if t.rows > 0 {
		tallAVX512(o, t, height)
	}
	left := rows - t.rows
	switch {
	case left == 0:
		return
	case (o == lanes || o == fourChains) && t.y == nil && t.rows > 0:
		// The last rows once more with those before them: the bits are the same. A mask may
		// be dst itself and gone.
		t.skip(rows - height)
		t.rows = height
		tallAVX512(o, t, height)
		return
	}
	t.skip(t.rows)
	if o == twoChains && left > 1 {
		t.rows = left &^ 1
		product2x32x2AVX512(t)
		if left &= 1; left == 0 {
			return
		}
		t.skip(t.rows)
	}
	t.rows = left
	singleOn(avx512, o, t)
}

// tallAVX512 computes a multiple of height rows.
func tallAVX512(o order, t *productTile, height int) {
	switch {
	case o == lanes:
		lanes8AVX512(t)
	case o == oneChain:
		product4x32x1AVX512(t)
	case o == twoChains:
		product6x32x2AVX512(t)
	case t.n > 16:
		product3x32x4AVX512(t)
	case height == 6:
		product6x16x4AVX512(t)
	default:
		product3x16x4AVX512(t)
	}
}

func productAVX2(o order, t *productTile) {
	if o == lanes || o != fourChains && t.rows == 1 {
		singleOn(avx2, o, t)
		return
	}
	tall := *t
	if o == oneChain {
		tall.rows &^= 3
	} else {
		tall.rows -= t.rows % 3
	}
	if tall.rows > 0 {
		halvesAVX2(o, &tall)
	}
	if tall.rows == t.rows {
		return
	}
	rest := t.below(tall.rows)
	if o == fourChains || o == twoChains && rest.rows == 2 {
		halvesAVX2(o, &rest)
	} else {
		singleOn(avx2, o, &rest)
	}
}

// halvesAVX2 computes a panel of as many rows as a tile takes, 16 columns at a time.
func halvesAVX2(o order, t *productTile) {
	left := *t
	left.n = min(16, t.n)
	left.lines = (t.lines + 3) / 4 // two halves, and blocks of three rows instead of six
	halfAVX2(o, &left)
	if t.n > 16 {
		right := t.right()
		right.ahead, right.lines = left.ahead, left.lines
		halfAVX2(o, &right)
	}
}

func halfAVX2(o order, t *productTile) {
	switch {
	case o == oneChain:
		product4x16x1AVX2(t)
	case o == twoChains && t.rows == 2:
		product2x16x2AVX2(t)
	case o == twoChains:
		product3x16x2AVX2(t)
	case t.rows%3 == 0:
		product3x16x4AVX2(t)
	default:
		product1x16x4AVX2(t)
	}
}

// right returns the right half of t, which has more than 16 columns.
func (t *productTile) right() productTile {
	r := *t
	r.n -= 16
	r.dst = r.dst[16:]
	if t.k > 0 {
		r.w = r.w[16:]
	}
	if t.bias != nil {
		r.bias = r.bias[16:]
	}
	if t.y != nil {
		r.y = r.y[16:]
	}
	return r
}

// singleOn computes a panel a row at a time: what is left when the taller tiles are done,
// and the rows of a Network.
func singleOn(i isa, o order, t *productTile) {
	switch {
	case i == avx512 && o == lanes:
		lanesAVX512(t)
	case i == avx512 && o == oneChain:
		product1x32x1AVX512(t)
	case i == avx512 && o == twoChains:
		product1x32x2AVX512(t)
	case i == avx512:
		product1x32x4AVX512(t)
	case i == avx2 && o == lanes:
		lanesAVX2(t)
	case i == avx2 && o == oneChain:
		product1x32x1AVX2(t)
	case i == avx2 && o == twoChains:
		product1x32x2AVX2(t)
	case i == avx2:
		productAVX2(o, t)
	default:
		productPortable(o, t)
	}
}

// wide tells whether the tiles of i take all panels at once in order o.
func wide(i isa, o order) bool { return i == avx512 && o == oneChain }

// paired tells whether i has a tile for one row and two panels.
func paired(i isa) bool { return i == avx512 }

// pairOn computes two panels of one row in the order with two chains.
func pairOn(i isa, t *productTile, far int) {
	if i == avx512 {
		row64x2AVX512(t, far)
	}
}

// gradientOn computes one panel of a weight gradient.
func gradientOn(i isa, t *gradientTile) {
	switch i {
	case avx512:
		gradientAVX512(t)
	case avx2:
		gradientAVX2(t)
	default:
		gradientGeneric(t)
	}
}

func gradientAVX512(t *gradientTile) {
	s := *t
	for k := 0; k < t.k; k += s.k {
		s.a, s.dst = t.a[k:], t.dst[k*t.ldd:]
		s.ahead = t.ahead + uintptr(64*t.lines*(k/8))
		switch left := t.k - k; {
		case left >= 16 && t.n <= 16:
			s.k = 16
			gradient16x16AVX512(&s)
		case left >= 8:
			s.k = 8
			if s.n == panel {
				gradient8x32AVX512(&s)
			} else {
				gradient8xnAVX512(&s)
			}
		case left >= 4:
			s.k = 4
			gradient4x32AVX512(&s)
		case left >= 2:
			s.k = 2
			gradient2x32AVX512(&s)
		default:
			s.k = 1
			gradient1x32AVX512(&s)
		}
	}
}

func gradientAVX2(t *gradientTile) {
	for n := 0; n < t.n; n += 16 {
		s := *t
		s.n, s.b = min(16, t.n-n), t.b[n:]
		for k := 0; k < t.k; k += s.k {
			s.a, s.dst = t.a[k:], t.dst[k*t.ldd+n:]
			if n > 0 {
				s.lines = 0
			}
			s.ahead = t.ahead + uintptr(64*t.lines*(k/8))
			switch left := t.k - k; {
			case left >= 6 && s.n == 16:
				s.k = 6
				gradient6x16AVX2(&s)
			case left >= 4:
				s.k = 4
				gradient4x16AVX2(&s)
			default:
				s.k = 1
				gradient1x16AVX2(&s)
			}
		}
	}
}

// columnsAtOnce is how many columns columnsOn takes.
const columnsAtOnce = 64

// columnsOn sums up to 64 columns.
func columnsOn(i isa, t *gradientTile) {
	switch i {
	case avx512:
		columnsAVX512(t)
	case avx2:
		columnsAVX2(t)
	default:
		columnsGeneric(t)
	}
}

func columnsAVX512(t *gradientTile) {
	if t.n == columnsAtOnce {
		columns64AVX512(t)
		return
	}
	for n := 0; n < t.n; n += 32 {
		s := t.columns(n, 32)
		columns32AVX512(&s)
	}
}

func columnsAVX2(t *gradientTile) {
	if t.n == columnsAtOnce {
		columns64AVX2(t)
		return
	}
	for n := 0; n < t.n; n += 16 {
		s := t.columns(n, 16)
		columns16AVX2(&s)
	}
}

// crossOn computes up to 16 columns of a float64 product of columns.
func crossOn(i isa, t *crossTile) {
	switch i {
	case avx512:
		s := *t
		s.k = 4
		k := 0
		for ; k+4 <= t.k; k += 4 {
			s.a, s.dst = t.a[k:], t.dst[k*t.ldd:]
			cross4x16AVX512(&s)
		}
		s.k = 1
		for ; k < t.k; k++ {
			s.a, s.dst = t.a[k:], t.dst[k*t.ldd:]
			cross1x16AVX512(&s)
		}
	case avx2:
		for n := 0; n < t.n; n += 8 {
			s := *t
			s.n, s.b = min(8, t.n-n), t.b[n:]
			s.k = 4
			k := 0
			for ; k+4 <= t.k; k += 4 {
				s.a, s.dst = t.a[k:], t.dst[k*t.ldd+n:]
				cross4x8AVX2(&s)
			}
			s.k = 1
			for ; k < t.k; k++ {
				s.a, s.dst = t.a[k:], t.dst[k*t.ldd+n:]
				cross1x8AVX2(&s)
			}
		}
	default:
		crossGeneric(t)
	}
}

// whole returns how many of n elements assembly takes: the multiple of unit, which is at
// least one, or none. Go code does the rest.
func whole(i isa, n, unit int) int {
	if i != avx512 && i != avx2 {
		return 0
	}
	return n / unit * unit
}

// sumsOn adds the elements of x, a multiple of 32, to the lanes of s.
func sumsOn(i isa, s *laneSums, x []float32) {
	switch i {
	case avx512:
		sumsAVX512(s, &x[0], len(x))
	case avx2:
		sumsAVX2(s, &x[0], len(x))
	default:
		sumsGeneric(s, x)
	}
}

// distanceOn adds x − y to the lanes of s.
func distanceOn(i isa, s *laneSums, x, y []float32) {
	switch i {
	case avx512:
		distanceAVX512(s, &x[0], &y[0], len(x))
	case avx2:
		distanceAVX2(s, &x[0], &y[0], len(x))
	default:
		distanceGeneric(s, x, y)
	}
}

// residualOn sets dst = x − y and adds it to the lanes of s.
func residualOn(i isa, s *laneSums, dst, x, y []float32) {
	switch i {
	case avx512:
		residualAVX512(s, &dst[0], &x[0], &y[0], len(dst))
	case avx2:
		residualAVX2(s, &dst[0], &x[0], &y[0], len(dst))
	default:
		residualGeneric(s, dst, x, y)
	}
}

func addOn(i isa, dst, src []float32) {
	src = src[:len(dst)]
	n := whole(i, len(dst), 16)
	if n > 0 {
		if i == avx512 {
			addAVX512(&dst[0], &src[0], n)
		} else {
			addAVX2(&dst[0], &src[0], n)
		}
	}
	addGeneric(dst[n:], src[n:])
}

func lerpOn(i isa, dst, src []float32, t float32) {
	src = src[:len(dst)]
	n := whole(i, len(dst), 16)
	if n > 0 {
		if i == avx512 {
			lerpAVX512(&dst[0], &src[0], n, t)
		} else {
			lerpAVX2(&dst[0], &src[0], n, t)
		}
	}
	lerpGeneric(dst[n:], src[n:], t)
}

func adamOn(i isa, w, g, m, v []float32, c *adamCoefficients) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	n := whole(i, len(w), 16)
	if n > 0 {
		if i == avx512 {
			adamAVX512(&w[0], &g[0], &m[0], &v[0], n, c)
		} else {
			adamAVX2(&w[0], &g[0], &m[0], &v[0], n, c)
		}
	}
	adamGeneric(w[n:], g[n:], m[n:], v[n:], c)
}

// packOn copies a whole panel from rows that are stride apart.
func packOn(i isa, dst, src []float32, stride int) {
	if i == avx512 || i == avx2 {
		packAVX2(&dst[0], &src[0], len(dst)/panel, stride)
	} else {
		packGeneric(dst, src, stride)
	}
}

// transposeOn transposes a block of at most 32×32 between two layouts with rows of 32.
func transposeOn(i isa, dst, src []float32, k, n int) {
	k8, n8 := k&^7, n&^7
	if (i != avx512 && i != avx2) || k8 == 0 || n8 == 0 {
		transposeGeneric(dst, src, k, n)
		return
	}
	transposeAVX2(&dst[0], &src[0], k8, n8)
	if n > n8 {
		transposeGeneric(dst[n8*panel:], src[n8:], k8, n-n8)
	}
	if k > k8 {
		transposeGeneric(dst[k8:], src[k8*panel:], k-k8, n)
	}
}
