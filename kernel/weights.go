package kernel

// panel is the number of columns that lie together in packed weights: two AVX-512, four
// AVX2 or eight NEON registers, so that all implementations share one layout.
const panel = 32

// An order is a line of the canonical order in the package documentation.
type order uint8

const (
	lanes order = iota
	oneChain
	twoChains
	fourChains
)

// orderOf returns the order of a product with a k×n right-hand side.
func orderOf(k, n int) order {
	switch {
	case n == 1 || n <= 8 && k >= 32:
		return lanes
	case k <= 8:
		return oneChain
	case n >= 32:
		return twoChains
	}
	return fourChains
}

// Weights is a K×N matrix laid out for products: in panels of 32 columns, each holding
// its K rows of 32 values one after the other, or, where the canonical order runs over
// lanes, transposed, each of the N columns as a row of K values. Both are filled up with
// zeros to multiples of 32, which must stay zero. Elementwise updates (Adam, Lerp) may
// run over Data as it is.
type Weights struct {
	K, N int
	Data []float32
}

// WeightsLen returns the length of Data of a k×n Weights, a multiple of 32.
func WeightsLen(k, n int) int {
	elements(k, 1)
	elements(n, 1)
	if orderOf(k, n) == lanes {
		return elements(n, roundUp(k))
	}
	return elements(k, roundUp(n))
}

// NewWeights returns k×n zeros.
func NewWeights(k, n int) Weights {
	return Weights{K: k, N: n, Data: Floats(WeightsLen(k, n))}
}

func roundUp(n int) int { return (n + panel - 1) &^ (panel - 1) }

// Index returns the position in Data of row k and column n.
func (w Weights) Index(k, n int) int {
	if uint(k) >= uint(w.K) || uint(n) >= uint(w.N) {
		panic("kernel: weight index out of range")
	}
	if orderOf(w.K, w.N) == lanes {
		return n*roundUp(w.K) + k
	}
	return n&^(panel-1)*w.K + k*panel + n&(panel-1)
}

// packRows bounds one assembly call of Pack: 128 KB, 50 µs where memory gives 5 GB/s.
const packRows = 1024

// Pack sets w to the elements of b, which is K×N.
func (w Weights) Pack(b Matrix) {
	w.checkMatrix(b)
	if orderOf(w.K, w.N) == lanes {
		kp := roundUp(w.K)
		for n := range w.N {
			column := w.Data[n*kp : (n+1)*kp]
			for k := range w.K {
				column[k] = b.Data[k*b.Stride+n]
			}
			clear(column[w.K:])
		}
		return
	}
	i := Kernel{}.resolve()
	for n := 0; n < w.N; n += panel {
		cols := min(panel, w.N-n)
		if cols == panel {
			for k := 0; k < w.K; k += packRows {
				rows := min(packRows, w.K-k)
				packOn(i, w.Data[n*w.K+k*panel:][:rows*panel], b.Data[k*b.Stride+n:][:span(rows, panel, b.Stride)], b.Stride)
			}
			continue
		}
		for k := range w.K {
			row := w.Data[n*w.K+k*panel:][:panel]
			copy(row, b.Data[k*b.Stride+n:][:cols])
			clear(row[cols:])
		}
	}
}

// Unpack sets dst, which is K×N, to the elements of w.
func (w Weights) Unpack(dst Matrix) {
	w.checkMatrix(dst)
	if orderOf(w.K, w.N) == lanes {
		kp := roundUp(w.K)
		for n := range w.N {
			for k, v := range w.Data[n*kp:][:w.K] {
				dst.Data[k*dst.Stride+n] = v
			}
		}
		return
	}
	for n := 0; n < w.N; n += panel {
		cols := min(panel, w.N-n)
		for k := range w.K {
			copy(dst.Data[k*dst.Stride+n:][:cols], w.Data[n*w.K+k*panel:])
		}
	}
}

func (w Weights) checkMatrix(m Matrix) {
	w.check()
	m.check()
	if m.Rows != w.K || m.Cols != w.N {
		panic("kernel: shapes of matrix and weights differ")
	}
	if overlap(w.Data, m.Data) {
		panic("kernel: matrix overlaps weights")
	}
}

// Transpose sets w, which is N×K, to the transpose of src, which is K×N. InputGrad takes
// the transposed weights of a layer.
func (k Kernel) Transpose(w, src Weights) {
	w.check()
	src.check()
	if w.K != src.N || w.N != src.K {
		panic("kernel: shapes of weights and transpose differ")
	}
	if overlap(w.Data, src.Data) {
		panic("kernel: transpose overlaps its source")
	}
	if raceEnabled {
		raceReadSlice(src.Data)
		raceWriteSlice(w.Data)
	}
	if orderOf(src.K, src.N) == lanes || orderOf(w.K, w.N) == lanes {
		transposeLanes(w, src)
		return
	}
	i := k.resolve()
	for n := 0; n < src.N; n += panel {
		for k := 0; k < src.K; k += panel {
			// A block of up to 32×32: rows of 32 on both sides.
			transposeOn(i, w.Data[k*w.K+n*panel:], src.Data[n*src.K+k*panel:], min(panel, src.K-k), min(panel, src.N-n))
		}
	}
}

// transposeLanes transposes where one of the layouts, or both, is transposed already.
func transposeLanes(w, src Weights) {
	fromStep, toStep := panel, 1
	if orderOf(src.K, src.N) == lanes {
		fromStep = 1
	}
	if orderOf(w.K, w.N) == lanes {
		toStep = roundUp(w.K)
	}
	for n := range src.N {
		for k := 0; k < src.K; k += panel {
			from, to := src.Data[src.Index(k, n):], w.Data[w.Index(n, k):]
			for i := range min(panel, src.K-k) {
				to[i*toStep] = from[i*fromStep]
			}
		}
	}
}

func (w Weights) check() {
	if len(w.Data) != WeightsLen(w.K, w.N) {
		panic("kernel: length of weights does not fit their shape")
	}
}
