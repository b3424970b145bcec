package kernel

import "unsafe"

// MatMul sets dst = a·w + bias, followed by ReLU (0 where negative; NaN and -0 pass) if
// relu is set.
//
// a is M×K, w K×N, dst M×N; bias has N values or is nil for none; any size may be zero.
// dst must not overlap a, w or bias. A Network is faster for single rows.
func (k Kernel) MatMul(dst, a Matrix, w Weights, bias []float32, relu bool) {
	if bias != nil && len(bias) != w.N {
		panic("kernel: length of bias differs from columns of weights")
	}
	checkProduct(&dst, &a, &w)
	if overlap(dst.Data, bias) {
		panic("kernel: dst overlaps an operand")
	}
	if raceEnabled {
		raceReadSlice(bias)
	}
	product(k.resolve(), &dst, &a, &w, bias, &Matrix{}, relu)
}

// InputGrad sets dx = dy·wt where y > 0 (or is NaN) and +0 elsewhere: the gradient with
// respect to the input y of a layer, when y came out of a ReLU.
//
// dy is M×N, wt N×K (the transposed weights), dx and y are M×K. A y without Data means
// no mask. dx may be y itself; otherwise dx must not overlap an operand.
func (k Kernel) InputGrad(dx, dy Matrix, wt Weights, y Matrix) {
	checkProduct(&dx, &dy, &wt)
	if y.Data != nil {
		y.check()
		if y.Rows != dx.Rows || y.Cols != dx.Cols {
			panic("kernel: shapes of mask and dst differ")
		}
		if dx.overlaps(&y) && (&y.Data[0] != &dx.Data[0] || y.Stride != dx.Stride) {
			panic("kernel: dst overlaps its mask")
		}
		if raceEnabled {
			raceRead(y)
		}
	}
	product(k.resolve(), &dx, &dy, &wt, nil, &y, false)
}

func checkProduct(dst, a *Matrix, w *Weights) {
	w.check()
	dst.check()
	a.check()
	if a.Cols != w.K {
		panic("kernel: columns of a differ from rows of weights")
	}
	if dst.Rows != a.Rows || dst.Cols != w.N {
		panic("kernel: shape of dst is not rows of a by columns of weights")
	}
	if dst.overlaps(a) || overlap(dst.Data, w.Data) {
		panic("kernel: dst overlaps an operand")
	}
	if raceEnabled {
		raceRead(*a)
		raceReadSlice(w.Data)
		raceWrite(*dst)
	}
}

// product runs the tile of i over all panels of w. Rows are taken in blocks, so that a
// block of a stays in the cache while the panels pass and no call lasts too long.
func product(i isa, dst, a *Matrix, w *Weights, bias []float32, y *Matrix, relu bool) {
	if a.Rows == 0 || w.N == 0 {
		return
	}
	var t productTile
	t.ldd, t.lda, t.ldy = dst.Stride, a.Stride, y.Stride
	t.k, t.relu = w.K, relu
	if w.K == 0 {
		t.lda = 0 // rows of a have no elements to point at
	}
	ord := orderOf(w.K, w.N)
	cols := panel
	if ord == lanes || wide(i, ord) {
		cols = w.N
	}
	flops := 2 * max(w.K, thinnest) * cols
	if ord == lanes {
		flops *= 2 // there is a load to every multiply-add
	}
	block := a.Rows
	if flops*a.Rows > flopsPerCall {
		if block = rowsPerCall(flops); cols == panel {
			block = min(block, rowsMost) // stays near while the other panels pass
		}
	}
	far := 4*a.Rows*(a.Stride+dst.Stride) > nearBytes
	for r := 0; r < a.Rows; r += block {
		for n := 0; n < w.N; n += cols {
			t.rows = min(block, a.Rows-r)
			t.a = a.Data[r*t.lda:]
			t.n = min(cols, w.N-n)
			t.dst = dst.Data[r*dst.Stride+n:]
			t.w = w.Data[n*w.K:] // where all columns are one tile there is one pass, n = 0
			if bias != nil {
				t.bias = bias[n:]
			}
			if y.Data != nil {
				t.y = y.Data[r*y.Stride+n:]
			}
			if t.lines = 0; far && r+block < a.Rows {
				t.ahead, t.lines = lookAhead(a, dst, r+block, block, n/cols, (w.N+cols-1)/cols)
				t.lines = min(t.lines/max(1, block/6)+1, linesMost)
			}
			productOn(i, ord, &t)
		}
	}
}

// rowsMost is the most rows of a block: a smaller one stays nearer, a larger one spreads the
// cost of a call (bench/calibrate.md). It is a multiple of the heights of all tiles.
const rowsMost = 96

// nearBytes is what a second-level cache holds beside weights: operands beyond it come from
// afar, and are sent for before they are needed.
const nearBytes = 512 << 10

// linesMost is how many lines a tile sends for at once: about as many as can be on their way.
const linesMost = 128

// lookAhead returns where panel p of panels should look for memory to bring nearer while it
// computes, and for how many cache lines: its part of the rows from r on, those of a for the
// first half of the panels, of b for the others.
func lookAhead(a, b *Matrix, r, rows, p, panels int) (at uintptr, lines int) {
	m, parts := a, max(1, panels/2)
	if p >= parts {
		m, p, parts = b, p-parts, panels-parts
	}
	if len(m.Data) == 0 {
		return 0, 0
	}
	n := min(rows, m.Rows-r) * m.Stride / parts
	return uintptr(unsafe.Pointer(&m.Data[min(r*m.Stride+p*n, len(m.Data)-1)])), n / 16
}

// gradientRows is how many rows a tile of the weight gradient adds up before the next tile
// takes its turn: few enough for the first-level cache to hold their columns, whose distance
// may map many of them to few of its sets (bench/calibrate.md).
const gradientRows = 96

// WeightGrad sets dw = xᵀ·dy and db to the column sums of dy, or adds them to what is
// there if accumulate is set: the gradients of a layer x·W + B.
//
// x is M×K, dy M×N, dw K×N, db has N values or is nil for none. dw and db must not
// overlap x, dy or each other.
func (k Kernel) WeightGrad(dw Weights, db []float32, x, dy Matrix, accumulate bool) {
	dw.check()
	x.check()
	dy.check()
	if x.Rows != dy.Rows {
		panic("kernel: rows of x and dy differ")
	}
	if dw.K != x.Cols || dw.N != dy.Cols {
		panic("kernel: shape of gradient is not columns of x by columns of dy")
	}
	if db != nil && len(db) != dw.N {
		panic("kernel: length of bias gradient differs from columns of dy")
	}
	if overlap(dw.Data, x.Data) || overlap(dw.Data, dy.Data) || overlap(db, x.Data) || overlap(db, dy.Data) || overlap(dw.Data, db) {
		panic("kernel: gradient overlaps an operand")
	}
	if raceEnabled {
		raceRead(x)
		raceRead(dy)
		raceWriteSlice(dw.Data)
		raceWriteSlice(db)
	}
	i := k.resolve()
	if x.Rows == 0 && !accumulate {
		clear(dw.Data)
		clear(db)
	}
	if x.Rows == 0 || dw.N == 0 {
		return
	}
	// The lanes layout holds the transpose: the same sums with the factors exchanged.
	a, b, ldd := x, dy, panel
	if orderOf(dw.K, dw.N) == lanes {
		a, b, ldd = dy, x, roundUp(dw.K)
	}
	far := 4*x.Rows*(x.Stride+dy.Stride) > nearBytes
	for r := 0; r < x.Rows; r += gradientRows {
		t := gradientTile{lda: a.Stride, ldb: b.Stride, ldd: ldd, rows: min(gradientRows, x.Rows-r), k: a.Cols, accumulate: accumulate || r > 0}
		if a.Cols > 0 {
			t.a = a.Data[r*a.Stride:]
		}
		for n := 0; n < b.Cols; n += panel {
			t.n = min(panel, b.Cols-n)
			t.b = b.Data[r*b.Stride+n:]
			if ldd == panel {
				t.dst = dw.Data[n*a.Cols:]
			} else {
				t.dst = dw.Data[n:]
			}
			if t.lines = 0; far && r+gradientRows < x.Rows {
				t.ahead, t.lines = lookAhead(&a, &b, r+gradientRows, gradientRows, n/panel, (b.Cols+panel-1)/panel)
				t.lines = min(t.lines/max(1, a.Cols/8), linesMost)
			}
			if a.Cols > 0 {
				gradientOn(i, &t)
			}
		}
		if db == nil {
			continue
		}
		t.ldb, t.lda = dy.Stride, 0
		t.lines = 0
		for n := 0; n < dw.N; n += columnsAtOnce {
			t.n = min(columnsAtOnce, dw.N-n)
			t.b, t.dst = dy.Data[r*dy.Stride+n:], db[n:]
			columnsOn(i, &t)
		}
	}
}

// Cross adds aᵀ·b to dst in float64: dst[i·N+j] += Σ_m a[m,i]·b[m,j], one chain over m in
// ascending order for each element. a is M×K, b is M×N, dst has K·N elements. With a = b
// it is the Gram matrix, with b the targets the right-hand side of least squares.
func (k Kernel) Cross(dst []float64, a, b Matrix) {
	a.check()
	b.check()
	if a.Rows != b.Rows {
		panic("kernel: rows of a and b differ")
	}
	if len(dst) != a.Cols*b.Cols {
		panic("kernel: length of dst is not columns of a times columns of b")
	}
	if raceEnabled {
		raceRead(a)
		raceRead(b)
		raceWriteFloat64(dst)
	}
	if a.Rows == 0 || len(dst) == 0 {
		return
	}
	i := k.resolve()
	// A float64 tile is 4×16; conversions make a flop cost about twice that of float32.
	block := rowsPerCall(4 * a.Cols * 16)
	for r := 0; r < a.Rows; r += block {
		t := crossTile{a: a.Data[r*a.Stride:], lda: a.Stride, ldb: b.Stride, ldd: b.Cols, rows: min(block, a.Rows-r), k: a.Cols}
		for n := 0; n < b.Cols; n += 16 {
			t.n = min(16, b.Cols-n)
			t.b, t.dst = b.Data[r*b.Stride+n:], dst[n:]
			crossOn(i, &t)
		}
	}
}
