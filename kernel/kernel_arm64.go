//go:build !purego && !noasm

package kernel

// detect returns the implementations that can run here, best first. NEON is part of the
// architecture.
func detect() []isa { return []isa{neon, generic} }

// features returns the CPU features the choice looked at and found.
func features() []string { return []string{"ASIMD"} }

//go:noescape
func product6x8x2NEON(t *productTile)

//go:noescape
func product6x4x4NEON(t *productTile)

//go:noescape
func product2x16x2NEON(t *productTile)

//go:noescape
func product4x16x1NEON(t *productTile)

//go:noescape
func product1x32x1NEON(t *productTile)

//go:noescape
func product1x32x2NEON(t *productTile)

//go:noescape
func product1x16x4NEON(t *productTile)

//go:noescape
func lanes1NEON(t *productTile, pad *[panel]float32)

//go:noescape
func lanes2NEON(t *productTile, pad *[panel]float32)

//go:noescape
func gradient8x8NEON(t *gradientTile)

//go:noescape
func gradient4x16NEON(t *gradientTile)

//go:noescape
func gradient4x8NEON(t *gradientTile)

//go:noescape
func gradient1x8NEON(t *gradientTile)

//go:noescape
func gradient1x32NEON(t *gradientTile)

//go:noescape
func columns32NEON(t *gradientTile)

//go:noescape
func columns4NEON(t *gradientTile)

//go:noescape
func cross4x8NEON(t *crossTile)

//go:noescape
func cross1x8NEON(t *crossTile)

//go:noescape
func sumsNEON(s *laneSums, x *float32, n int)

//go:noescape
func distanceNEON(s *laneSums, x, y *float32, n int)

//go:noescape
func residualNEON(s *laneSums, dst, x, y *float32, n int)

//go:noescape
func addNEON(dst, src *float32, n int)

//go:noescape
func lerpNEON(dst, src *float32, n int, t float32)

//go:noescape
func adamNEON(w, grad, m, v *float32, n int, c *adamCoefficients)

//go:noescape
func transposeNEON(dst, src *float32, k, n int)

// productOn computes one panel of a product.
func productOn(i isa, o order, t *productTile) {
	if i == neon {
		productNEON(o, t)
	} else {
		productPortable(o, t)
	}
}

func productNEON(o order, t *productTile) {
	if o == lanes {
		lanesNEON(t)
	} else {
		panelNEON(o, t)
	}
}

func lanesNEON(t *productTile) {
	var pad [panel]float32
	if t.n == 1 {
		lanes1NEON(t, &pad)
		return
	}
	rest := *t
	rest.n = t.n &^ 1
	lanes2NEON(&rest, &pad)
	if n := rest.n; n < t.n {
		rest.n = 1
		rest.dst, rest.w = t.dst[n:], t.w[n*roundUp(t.k):]
		if t.bias != nil {
			rest.bias = t.bias[n:]
		}
		if t.y != nil {
			rest.y = t.y[n:]
		}
		lanes1NEON(&rest, &pad)
	}
}

// panelNEON computes the orders with one, two or four chains. Tiles load 32 values of the
// bias; those of a panel that is not full are copied to where there are as many.
func panelNEON(o order, t *productTile) {
	if t.n == panel {
		rowsNEON(o, t)
		return
	}
	var bias [panel]float32
	full := *t
	if t.bias != nil {
		copy(bias[:], t.bias[:t.n])
		full.bias = bias[:]
	}
	width := 8
	if o == fourChains {
		width = 4
	}
	if t.n%width == 0 {
		rowsNEON(o, &full)
		return
	}
	// w is filled up with zeros: compute the columns that are not there as well, but in
	// memory of ours.
	var dst [6 * panel]float32
	full.dst, full.ldd, full.y = dst[:], panel, nil
	full.n += -t.n & (width - 1)
	for r := 0; r < t.rows; r += full.rows {
		full.rows, full.a = min(6, t.rows-r), t.a[r*t.lda:]
		rowsNEON(o, &full)
		for i := range full.rows {
			v := dst[i*panel:][:t.n]
			if t.y == nil {
				copy(t.dst[(r+i)*t.ldd:], v)
				continue
			}
			for j, v := range v {
				t.finish(r+i, j, v)
			}
		}
	}
}

// rowsNEON divides the rows among tiles.
func rowsNEON(o order, t *productTile) {
	tall := *t
	switch o {
	case oneChain:
		if tall.rows &^= 3; tall.rows > 0 {
			product4x16x1NEON(&tall)
		}
	case fourChains:
		if tall.rows -= t.rows % 6; tall.rows > 0 {
			product6x4x4NEON(&tall)
		}
	default:
		if tall.rows -= t.rows % 6; tall.rows > 0 {
			product6x8x2NEON(&tall)
		}
		if t.rows-tall.rows >= 2 {
			two := t.below(tall.rows)
			two.rows &^= 1
			product2x16x2NEON(&two)
			tall.rows += two.rows
		}
	}
	if tall.rows < t.rows {
		rest := t.below(tall.rows)
		singleNEON(o, &rest)
	}
}

// singleNEON computes what is left when the taller tiles are done, a row at a time.
func singleNEON(o order, t *productTile) {
	switch o {
	case oneChain:
		product1x32x1NEON(t)
	case fourChains:
		product1x16x4NEON(t)
	default:
		product1x32x2NEON(t)
	}
}

// singleOn computes a panel for a row of a Network.
func singleOn(i isa, o order, t *productTile) {
	if i == neon && o != lanes && t.n == panel {
		singleNEON(o, t)
	} else {
		productOn(i, o, t)
	}
}

// paired tells whether i has a tile for one row and two panels.
func paired(isa) bool { return false }

func pairOn(isa, *productTile, int) {}

// gradientOn computes one panel of a weight gradient.
func gradientOn(i isa, t *gradientTile) {
	if i == neon {
		gradientNEON(t)
	} else {
		gradientGeneric(t)
	}
}

// tailRows is how many rows of the last columns of b are copied at a time to where they
// are followed by zeros.
const tailRows = 64

func gradientNEON(t *gradientTile) {
	s := *t
	if s.n = t.n &^ 7; s.n > 0 {
		columnsOfANEON(&s)
	}
	n := s.n
	if n == t.n {
		return
	}
	var b [tailRows * 8]float32
	s.n, s.b, s.ldb, s.dst = t.n-n, b[:], 8, t.dst[n:]
	for r := 0; r < t.rows; r += s.rows {
		s.rows, s.a = min(tailRows, t.rows-r), t.a[r*t.lda:]
		for i := range s.rows {
			copy(b[i*8:], t.b[(r+i)*t.ldb:][n:t.n])
		}
		columnsOfANEON(&s)
		s.accumulate = true
	}
}

// columnsOfANEON divides the columns of a among tiles.
func columnsOfANEON(t *gradientTile) {
	s := *t
	for k := 0; k < t.k; k += s.k {
		s.a, s.dst = t.a[k:], t.dst[k*t.ldd:]
		switch left := t.k - k; {
		case left >= 8:
			s.k = 8
			gradient8x8NEON(&s)
		case left >= 4 && t.n&15 == 0:
			s.k = 4
			gradient4x16NEON(&s)
		case left >= 4:
			s.k = 4
			gradient4x8NEON(&s)
		case t.n == panel:
			s.k = 1
			gradient1x32NEON(&s)
		default:
			s.k = 1
			gradient1x8NEON(&s)
		}
	}
}

// nearestBytes returns the size of a usual first-level data cache.
func nearestBytes() int { return 32 << 10 }

// columnsAtOnce is how many columns columnsOn takes.
const columnsAtOnce = 32

// columnsOn sums up to 32 columns.
func columnsOn(i isa, t *gradientTile) {
	if i != neon {
		columnsGeneric(t)
		return
	}
	if t.n == panel {
		columns32NEON(t)
		return
	}
	s := *t
	if s.n &^= 3; s.n > 0 {
		columns4NEON(&s)
	}
	if n := s.n; n < t.n {
		s.n, s.b, s.dst = t.n-n, t.b[n:], t.dst[n:]
		columnsGeneric(&s)
	}
}

// crossOn computes up to 16 columns of a float64 product of columns.
func crossOn(i isa, t *crossTile) {
	if i == neon {
		crossNEON(t)
	} else {
		crossGeneric(t)
	}
}

func crossNEON(t *crossTile) {
	s := *t
	if s.n = t.n &^ 7; s.n > 0 {
		for k := 0; k < t.k; k += s.k {
			s.k, s.a, s.dst = t.k-k, t.a[k:], t.dst[k*t.ldd:]
			crossTileNEON(&s)
		}
	}
	n := s.n
	if n == t.n {
		return
	}
	// As for gradients, but nothing follows the columns of dst: tiles of it are copied too.
	var b [tailRows * 8]float32
	var dst [4 * 8]float64
	s.n, s.b, s.ldb, s.dst, s.ldd = 8, b[:], 8, dst[:], 8
	for r := 0; r < t.rows; r += s.rows {
		s.rows = min(tailRows, t.rows-r)
		for i := range s.rows {
			copy(b[i*8:], t.b[(r+i)*t.ldb:][n:t.n])
		}
		for k := 0; k < t.k; k += s.k {
			s.k, s.a = t.k-k, t.a[r*t.lda+k:]
			for i := range min(4, s.k) {
				copy(dst[i*8:], t.dst[(k+i)*t.ldd:][n:t.n])
			}
			crossTileNEON(&s)
			for i := range s.k {
				copy(t.dst[(k+i)*t.ldd:][n:t.n], dst[i*8:])
			}
		}
	}
}

// crossTileNEON computes one tile of t and sets k to the columns of a in it.
func crossTileNEON(t *crossTile) {
	if t.k >= 4 {
		t.k = 4
		cross4x8NEON(t)
	} else {
		t.k = 1
		cross1x8NEON(t)
	}
}

// sumsOn adds the elements of x, a multiple of 32, to the lanes of s.
func sumsOn(i isa, s *laneSums, x []float32) {
	if i == neon {
		sumsNEON(s, &x[0], len(x))
	} else {
		sumsGeneric(s, x)
	}
}

// distanceOn adds x − y to the lanes of s.
func distanceOn(i isa, s *laneSums, x, y []float32) {
	if i == neon {
		distanceNEON(s, &x[0], &y[0], len(x))
	} else {
		distanceGeneric(s, x, y)
	}
}

// residualOn sets dst = x − y and adds it to the lanes of s.
func residualOn(i isa, s *laneSums, dst, x, y []float32) {
	if i == neon {
		residualNEON(s, &dst[0], &x[0], &y[0], len(dst))
	} else {
		residualGeneric(s, dst, x, y)
	}
}

// Assembly takes updates in steps of 16 elements, Go code the rest.

func addOn(i isa, dst, src []float32) {
	src = src[:len(dst)]
	if n := len(dst) &^ 15; i == neon && n > 0 {
		addNEON(&dst[0], &src[0], n)
		dst, src = dst[n:], src[n:]
	}
	addGeneric(dst, src)
}

func lerpOn(i isa, dst, src []float32, t float32) {
	src = src[:len(dst)]
	if n := len(dst) &^ 15; i == neon && n > 0 {
		lerpNEON(&dst[0], &src[0], n, t)
		dst, src = dst[n:], src[n:]
	}
	lerpGeneric(dst, src, t)
}

func adamOn(i isa, w, g, m, v []float32, c *adamCoefficients) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	if n := len(w) &^ 15; i == neon && n > 0 {
		adamNEON(&w[0], &g[0], &m[0], &v[0], n, c)
		w, g, m, v = w[n:], g[n:], m[n:], v[n:]
	}
	adamGeneric(w, g, m, v, c)
}

// packOn copies a whole panel: loads and stores are all there is to it.
func packOn(_ isa, dst, src []float32, stride int) { packGeneric(dst, src, stride) }

// transposeOn transposes a block of at most 32×32 between two layouts with rows of 32.
func transposeOn(i isa, dst, src []float32, k, n int) {
	k4, n4 := k&^3, n&^3
	if i != neon || k4 == 0 || n4 == 0 {
		transposeGeneric(dst, src, k, n)
		return
	}
	transposeNEON(&dst[0], &src[0], k4, n4)
	if n > n4 {
		transposeGeneric(dst[n4*panel:], src[n4:], k4, n-n4)
	}
	if k > k4 {
		transposeGeneric(dst[k4:], src[k4*panel:], k-k4, n)
	}
}

// wide: no tile takes all panels at once.
func wide(isa, order) bool { return false }
