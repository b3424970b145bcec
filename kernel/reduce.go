package kernel

import "math"

const (
	sumLanes = 32            // float32 lanes
	sumRun   = 32 * sumLanes // elements they add up before float64 takes over
	sumBlock = 16 * sumRun   // elements of one assembly call at most
)

// Sums holds reductions of a vector: the sum of squares, the sum of absolute values and
// the largest absolute value. NaN elements make the sums NaN; Max passes over them and is
// exact. The sums are off by at most 2⁻¹⁸ of themselves, whatever the length.
type Sums struct {
	Squares, Abs, Max float64
}

// Sums returns the reductions of x in the order of the package documentation.
func (k Kernel) Sums(x []float32) Sums {
	if raceEnabled {
		raceReadSlice(x)
	}
	i := k.resolve()
	var s laneSums
	whole := len(x) &^ (sumLanes - 1)
	for o := 0; o < whole; o += sumBlock {
		sumsOn(i, &s, x[o:min(o+sumBlock, whole)])
	}
	if whole < len(x) {
		var rest [sumLanes]float32
		copy(rest[:], x[whole:])
		sumsOn(i, &s, rest[:])
	}
	total := s.total()
	if !total.inRange() {
		total.exact(x, nil)
	}
	return total
}

// Distance returns the reductions of x − y, which are of one length.
func (k Kernel) Distance(x, y []float32) Sums {
	if len(x) != len(y) {
		panic("kernel: lengths of vectors differ")
	}
	if raceEnabled {
		raceReadSlice(x)
		raceReadSlice(y)
	}
	i := k.resolve()
	var s laneSums
	whole := len(x) &^ (sumLanes - 1)
	for o := 0; o < whole; o += sumBlock {
		e := min(o+sumBlock, whole)
		distanceOn(i, &s, x[o:e], y[o:e])
	}
	if whole < len(x) {
		var rx, ry [sumLanes]float32
		copy(rx[:], x[whole:])
		copy(ry[:], y[whole:])
		distanceOn(i, &s, rx[:], ry[:])
	}
	total := s.total()
	if !total.inRange() {
		total.exact(x, y)
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
	i := k.resolve()
	var s laneSums
	whole := len(dst) &^ (sumLanes - 1)
	for o := 0; o < whole; o += sumBlock {
		e := min(o+sumBlock, whole)
		residualOn(i, &s, dst[o:e], target[o:e], pred[o:e])
	}
	if whole < len(dst) {
		var rest, x, y [sumLanes]float32
		copy(x[:], target[whole:])
		copy(y[:], pred[whole:])
		residualOn(i, &s, rest[:], x[:], y[:])
		copy(dst[whole:], rest[:])
	}
	total := s.total()
	if !total.inRange() {
		total.exact(dst, nil)
	}
	return total
}

// total adds the lanes by halves.
func (s *laneSums) total() Sums {
	for h := len(s.squares) / 2; h > 0; h /= 2 {
		for l := range h {
			s.squares[l] += s.squares[l+h]
			s.abs[l] += s.abs[l+h]
			s.max[l] = greater(s.max[l+h], s.max[l])
		}
	}
	return Sums{Squares: s.squares[0], Abs: s.abs[0], Max: float64(s.max[0])}
}

// inRange tells whether float32 holds the sums of a run: squares of the largest values do
// not overflow, and squares that underflow are too small to matter.
func (s *Sums) inRange() bool {
	return s.Max == 0 || s.Max >= 0x1p-50 && s.Max <= 0x1p+60
}

// exact computes the sums of x, or of x − y, again: every step in float64.
func (s *Sums) exact(x, y []float32) {
	var lanes laneSums
	for i, v := range x {
		if y != nil {
			v -= y[i]
		}
		d, l := float64(v), i%len(lanes.squares)
		lanes.squares[l] += d * d // exact product
		lanes.abs[l] += math.Abs(d)
	}
	t := lanes.total()
	s.Squares, s.Abs = t.Squares, t.Abs
}

// shifted tells whether a and b overlap without being the same slice.
func shifted(a, b []float32) bool {
	return len(a) > 0 && overlap(a, b) && &a[0] != &b[0]
}
