package kernel

// productTile is the work of one tile call: dst = a·w on one panel, rows×n with inner
// dimension k, started from bias (nil: +0) and finished by ReLU or by the mask y
// (nil: none). Strides count elements. In the lanes order w is the whole matrix.
//
// Assembly reads the fields by name, so a call passes one pointer.
type productTile struct {
	dst, a, w, bias, y []float32
	ldd, lda, ldy      int
	rows, k, n         int
	relu               bool
	// Tall tiles bring memory at ahead into the second-level cache meanwhile, lines of it
	// with every block of rows, and move ahead on. Nothing reads it, so it is no pointer.
	ahead uintptr
	lines int
}

// below returns t without its first n rows, fewer than it has.
func (t *productTile) below(n int) productTile {
	b := *t
	b.rows -= n
	b.dst = b.dst[n*t.ldd:]
	b.a = b.a[n*t.lda:]
	if t.y != nil {
		b.y = b.y[n*t.ldy:]
	}
	return b
}

// skip moves t down by n rows; there must be some below.
func (t *productTile) skip(n int) {
	t.dst = t.dst[n*t.ldd:]
	t.a = t.a[n*t.lda:]
	if t.y != nil {
		t.y = t.y[n*t.ldy:]
	}
}

// gradientTile is the work of one tile call: dst = (dst +) aᵀ·b, k×n, over rows.
type gradientTile struct {
	dst, a, b     []float32
	ldd, lda, ldb int
	rows, k, n    int
	accumulate    bool
	ahead         uintptr // as in productTile; lines once
	lines         int
}

// columns returns t for its columns from n on, at most most of them.
func (t *gradientTile) columns(n, most int) gradientTile {
	c := *t
	c.n, c.b, c.dst = min(most, t.n-n), t.b[n:], t.dst[n:]
	return c
}

// crossTile is the same in float64: dst += aᵀ·b.
type crossTile struct {
	dst           []float64
	a, b          []float32
	ldd, lda, ldb int
	rows, k, n    int
}

// flopsPerCall bounds the work of one assembly call: 50 µs on a core that reaches only
// 40 GFLOP/s.
const flopsPerCall = 2 << 20

// thinnest is the inner dimension whose multiply-adds take as long as storing the results
// in a far cache: thinner products count as this.
const thinnest = 8

// rowsPerCall returns how many rows of flopsPerRow each fit into one call, where that is
// more than a few as a multiple of the heights of all tiles.
func rowsPerCall(flopsPerRow int) int {
	n := flopsPerCall / max(flopsPerRow, 1)
	if n > 12 {
		n -= n % 12
	}
	return max(1, n)
}
