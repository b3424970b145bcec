package kernel

// sumBlock is the length of one block of a sum: 32 KB, so that Residual finds what it just
// wrote in a near cache.
const sumBlock = 8192

// Sums holds reductions of a vector: the sum of squares, the sum of absolute values and
// the largest absolute value. NaN elements make the sums NaN; Max passes over them.
type Sums struct {
	Squares, Abs, Max float64
}

// Sums returns the reductions of x in the order of the package documentation.
func (k Kernel) Sums(x []float32) Sums {
	if raceEnabled {
		raceReadSlice(x)
	}
	var total Sums
	i := k.resolve()
	for len(x) > 0 {
		n := min(sumBlock, len(x))
		total.add(blockSums(i, x[:n]))
		x = x[n:]
	}
	return total
}

// Residual sets dst = target − pred and returns the reductions of dst in the same pass.
// All have one length; dst may be target or pred.
func (k Kernel) Residual(dst, target, pred []float32) Sums {
	if len(target) != len(dst) || len(pred) != len(dst) {
		panic("kernel: lengths of residual, target and prediction differ")
	}
	if shifted(dst, target) || shifted(dst, pred) {
		panic("kernel: dst overlaps an operand")
	}
	if raceEnabled {
		raceReadSlice(target)
		raceReadSlice(pred)
		raceWriteSlice(dst)
	}
	var total Sums
	i := k.resolve()
	for o := 0; o < len(dst); o += sumBlock {
		e := min(o+sumBlock, len(dst))
		subOn(i, dst[o:e], target[o:e], pred[o:e])
		total.add(blockSums(i, dst[o:e])) // still near
	}
	return total
}

func (s *Sums) add(b Sums) {
	s.Squares += b.Squares
	s.Abs += b.Abs
	s.Max = max(s.Max, b.Max)
}

// blockSums returns the sums of one block: lanes, then the tree.
func blockSums(i isa, x []float32) Sums {
	var s laneSums
	sumsOn(i, &s, x)
	for h := panel / 2; h > 0; h /= 2 {
		for l := range h {
			s.squares[l] += s.squares[l+h]
			s.abs[l] += s.abs[l+h]
			s.max[l] = max(s.max[l], s.max[l+h])
		}
	}
	return Sums{Squares: s.squares[0], Abs: s.abs[0], Max: float64(s.max[0])}
}

// shifted tells whether a and b overlap without being the same slice.
func shifted(a, b []float32) bool {
	return len(a) > 0 && overlap(a, b) && &a[0] != &b[0]
}
