package convex

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/multigrade/multigrade/kernel"
)

// panel is the number of gates that lie together, as columns do in kernel.Weights.
const panel = 32

// Gates are activation patterns of some rows: which of them a hidden unit lets pass. Gate i
// is the diagonal matrix D_i = diag(1[x·u_i + b_i ≥ 0]) over the rows x. Gates are immutable
// and safe for concurrent use.
type Gates struct {
	rows, count int
	complete    bool   // all patterns of the rows but the empty one
	bits        []byte // bit i mod 8 of byte i/8 of a row's stride bytes is its bit for gate i
	stride      int    // a multiple of panel/8
	units       kernel.Matrix
}

// Len returns the number of gates.
func (g *Gates) Len() int { return g.count }

// Complete tells whether these are all patterns of the rows but the empty one.
func (g *Gates) Complete() bool { return g.complete }

// Unit returns the weights u and the bias b of a unit with the pattern of gate i. The
// weights are shared and must not be changed.
func (g *Gates) Unit(i int) (u []float32, b float32) {
	row := g.units.Row(i)
	return row[:len(row)-1], row[len(row)-1]
}

// On tells whether gate i lets row r pass.
func (g *Gates) On(r, i int) bool { return g.bits[r*g.stride+i>>3]>>(i&7)&1 == 1 }

func newGates(rows, count, inputs int) *Gates {
	stride := (count + panel - 1) / panel * (panel / 8)
	return &Gates{rows: rows, count: count, stride: stride, bits: make([]byte, rows*stride), units: kernel.NewMatrix(count, inputs+1)}
}

func (g *Gates) set(r, i int) { g.bits[r*g.stride+i>>3] |= 1 << (i & 7) }

// pick returns the patterns of the gates in list, in that order, without their units.
func (g *Gates) pick(list []int) *Gates {
	s := newGates(g.rows, len(list), -1)
	for r := range g.rows {
		from, to := g.bits[r*g.stride:(r+1)*g.stride], s.bits[r*s.stride:(r+1)*s.stride]
		for i, p := range list {
			to[i>>3] |= from[p>>3] >> (p & 7) & 1 << (i & 7)
		}
	}
	return s
}

// EnumerateGates returns every pattern of the n rows of x, which has one column, but the
// empty one: with the distinct values in order, all rows above a gap, all rows below it, and
// all rows; 2·(values − 1) + 1 in all. It panics if x has not one column, and wants finite
// values.
func EnumerateGates(x kernel.Matrix) *Gates {
	if x.Cols != 1 {
		panic("convex: only the patterns of one column can be enumerated")
	}
	values := make([]float32, x.Rows)
	for i := range values {
		values[i] = x.Row(i)[0]
	}
	slices.Sort(values)
	values = slices.Compact(values)
	gaps := max(len(values)-1, 0)
	g := newGates(x.Rows, 2*gaps+min(x.Rows, 1), 1)
	g.complete = true
	for i := range gaps {
		middle := float32(float64(0.5*float64(values[i])) + float64(0.5*float64(values[i+1])))
		copy(g.units.Row(2*i), []float32{1, -middle})
		copy(g.units.Row(2*i+1), []float32{-1, middle})
	}
	if x.Rows > 0 {
		g.units.Row(2 * gaps)[1] = 1
	}
	for r := range x.Rows {
		rank, _ := slices.BinarySearch(values, x.Row(r)[0])
		for i := range gaps {
			if rank > i {
				g.set(r, 2*i)
			} else {
				g.set(r, 2*i+1)
			}
		}
		g.set(r, 2*gaps)
	}
	return g
}

// SampleGates returns up to most different patterns of the n rows of x (n×d): that of all
// rows, those of the given units (one a row of d weights and a bias; nil for none), then
// patterns of random hyperplanes, each orthogonal to a random direction through a random
// point between two random rows. It ends early where the rows have hardly any more. Patterns
// that are empty are left out. The gates depend on x, the units, most and seed alone.
func SampleGates(x kernel.Matrix, most int, units kernel.Matrix, seed uint64) *Gates {
	d := x.Cols
	if units.Rows > 0 && units.Cols != d+1 {
		panic("convex: units have another number of inputs than the rows")
	}
	if x.Rows == 0 || most <= 0 {
		return newGates(x.Rows, 0, d)
	}
	all := kernel.NewMatrix(1+units.Rows+2*most, d+1)
	all.Row(0)[d] = 1
	for i := range units.Rows {
		copy(all.Row(1+i), units.Row(i))
	}
	pcg := rand.NewPCG(seed, 0x6d67646c2f676174)
	for i := 1 + units.Rows; i < all.Rows; i++ {
		hyperplane(all.Row(i), x, pcg)
	}
	candidates := patterns(x, all)
	seen := make(map[[2]uint64]bool, most)
	var list []int
	for i, h := range candidates.hashes() {
		if len(list) == most {
			break
		}
		if h != [2]uint64{} && !seen[h] {
			seen[h] = true
			list = append(list, i)
		}
	}
	g := candidates.pick(list)
	g.units = kernel.NewMatrix(len(list), d+1)
	for i, p := range list {
		copy(g.units.Row(i), all.Row(p))
	}
	return g
}

// hyperplane sets unit to a random one that separates the rows of x. Its direction has
// independent elements, each a sum of four uniform numbers.
func hyperplane(unit []float32, x kernel.Matrix, pcg *rand.PCG) {
	uniform := func() float64 { return float64(pcg.Uint64()>>11) * 0x1p-53 }
	d := x.Cols
	a := x.Row(int(uniform() * float64(x.Rows)))
	b := x.Row(int(uniform() * float64(x.Rows)))
	t := uniform()
	bias := 0.0
	for k := range d {
		u := uniform() + uniform() + uniform() + uniform() - 2
		unit[k] = float32(u)
		middle := float64(a[k]) + float64(t*(float64(b[k])-float64(a[k])))
		bias -= float64(float64(unit[k]) * middle)
	}
	unit[d] = float32(bias)
}

// patterns returns the gates of units (d weights and a bias a row).
func patterns(x, units kernel.Matrix) *Gates {
	d := x.Cols
	g := newGates(x.Rows, units.Rows, -1)
	w := kernel.NewWeights(d, units.Rows)
	bias := make([]float32, units.Rows)
	for i := range units.Rows {
		u := units.Row(i)
		for k := range d {
			w.Data[w.Index(k, i)] = u[k]
		}
		bias[i] = u[d]
	}
	out := kernel.NewMatrix(blockRows, units.Rows)
	for lo := 0; lo < x.Rows; lo += blockRows {
		hi := min(lo+blockRows, x.Rows)
		z := out.RowRange(0, hi-lo)
		kernel.Kernel{}.MatMul(z, x.RowRange(lo, hi), w, bias, false)
		for r := lo; r < hi; r++ {
			for i, v := range z.Row(r - lo) {
				if v >= 0 {
					g.set(r, i)
				}
			}
		}
	}
	return g
}

// hashes returns for each gate the sums, modulo 2, of random numbers of the rows it lets
// pass: equal for equal patterns, zero for the empty one, and different for different ones
// but for a chance of 2^-128.
func (g *Gates) hashes() [][2]uint64 {
	h := make([][2]uint64, g.count)
	for r := range g.rows {
		pcg := rand.NewPCG(uint64(r), math.MaxUint64)
		a, b := pcg.Uint64(), pcg.Uint64()
		row := g.bits[r*g.stride : (r+1)*g.stride]
		for i := range h {
			on := -uint64(row[i>>3] >> (i & 7) & 1)
			h[i][0] ^= a & on
			h[i][1] ^= b & on
		}
	}
	return h
}
