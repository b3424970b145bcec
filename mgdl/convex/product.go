package convex

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/multigrade/multigrade/kernel"
)

const (
	// blockRows and blockGates bound a block of a product: masks and products of 128 KB each,
	// which stay in a second-level cache (BenchmarkProducts).
	blockRows  = 128
	blockGates = 256
	// Rows are cut into up to mostSlots slots of at least slotRows by their number alone, so
	// that any number of workers may share them. Each has its own sums over rows.
	mostSlots = 8
	slotRows  = 4 * blockRows
)

// A design is the matrix A = [D_1·X, …, D_P·X] of the gates D_i and the inputs X (n×m). Its
// scratch memory must not be used by two goroutines at once; see own.
//
// Coefficients of A are the W_i (m×c) of all gates in one vector: for each of the c outputs
// panels of 32 gates, in a panel the m rows of 32 values; see at. The number of gates is
// filled up to whole panels by empty gates, whose coefficients are zero.
type design struct {
	k       kernel.Kernel
	workers int
	x       kernel.Matrix
	gates   *Gates
	outputs int
	slots   []span
	scratch []scratch // of each slot
	rounded []float32 // coefficients
	column  kernel.Matrix
}

// A span is the rows from lo up to, not including, hi.
type span struct{ lo, hi int }

// scratch is what one worker needs for a slot.
type scratch struct {
	mask, z, out kernel.Matrix // a block
	part         []float32     // sums over the rows of the slot
}

func newDesign(k kernel.Kernel, workers int, x kernel.Matrix, g *Gates, outputs int) *design {
	d := &design{k: k, workers: workers, x: x, gates: g, outputs: outputs}
	blocks := (x.Rows + slotRows - 1) / slotRows
	rows := (blocks + mostSlots - 1) / mostSlots * slotRows
	for lo := 0; lo < x.Rows; lo += rows {
		d.slots = append(d.slots, span{lo, min(lo+rows, x.Rows)})
	}
	return d
}

// own returns d with scratch memory of its own.
func (d *design) own() *design {
	o := *d
	o.scratch, o.rounded, o.column = nil, nil, kernel.Matrix{}
	return &o
}

// width is the number of gates filled up to whole panels.
func (d *design) width() int { return 8 * d.gates.stride }

// size is the number of coefficients.
func (d *design) size() int { return d.outputs * d.width() * d.x.Cols }

// at is the position of the coefficient of input 0 and gate i for output j; that of input k
// is panel·k further.
func (d *design) at(j, i int) int {
	return (j*d.width()+i&^(panel-1))*d.x.Cols + i&(panel-1)
}

// ones are the weights of sums and copies, in either layout of kernel.Weights.
var ones = func() (w [blockGates]float32) {
	for i := range w {
		w[i] = 1
	}
	return w
}()

// spread holds for each byte the eight factors its bits stand for.
var spread = func() (t [256][8]float32) {
	for b := range t {
		for i := range 8 {
			t[b][i] = float32(b >> i & 1)
		}
	}
	return t
}()

// masks sets dst to the factors of rows from r on and gates from g on, a multiple of 8.
func (d *design) masks(dst kernel.Matrix, r, g int) {
	for i := range dst.Rows {
		o := (r+i)*d.gates.stride + g/8
		row := dst.Row(i)
		for _, b := range d.gates.bits[o : o+len(row)/8] {
			*(*[8]float32)(row) = spread[b]
			row = row[8:]
		}
	}
}

// blocks calls f for the blocks of rows and gates of slot i, with their masks and as much
// memory: rows [lo, hi), gates [g, h). A block of gates comes with its rows in ascending order.
func (d *design) blocks(i int, f func(lo, hi, g, h int, mask, z kernel.Matrix)) {
	s := &d.scratch[i]
	if s.mask.Rows == 0 {
		s.mask, s.z, s.out = kernel.NewMatrix(blockRows, blockGates), kernel.NewMatrix(blockRows, blockGates), kernel.NewMatrix(blockRows, 1)
	}
	for lo := d.slots[i].lo; lo < d.slots[i].hi; lo += blockRows {
		hi := min(lo+blockRows, d.slots[i].hi)
		for g := 0; g < d.width(); g += blockGates {
			h := min(g+blockGates, d.width())
			mask, z := s.mask.RowRange(0, hi-lo).ColRange(0, h-g), s.z.RowRange(0, hi-lo).ColRange(0, h-g)
			d.masks(mask, lo, g)
			f(lo, hi, g, h, mask, z)
		}
	}
}

// each calls f for all slots.
func (d *design) each(f func(i int)) {
	if d.scratch == nil {
		d.scratch = make([]scratch, len(d.slots))
	}
	each(d.workers, len(d.slots), f)
}

// part returns the weights of gates [g, h) for output j within coefficients as float32.
func (d *design) part(w []float32, j, g, h int) kernel.Weights {
	o := d.at(j, g)
	return kernel.Weights{K: d.x.Cols, N: h - g, Data: w[o : o+(h-g)*d.x.Cols]}
}

// masked sets dst to the column r, masked for each gate of mask.
func (d *design) masked(dst, r, mask kernel.Matrix) {
	d.k.InputGrad(dst, r, kernel.Weights{K: 1, N: dst.Cols, Data: ones[:dst.Cols]}, mask)
}

// forward adds s·A·w, in float32, to dst (n×c by rows).
func (d *design) forward(dst []float64, s float64, w []float64) {
	if d.rounded == nil {
		d.rounded = kernel.Floats(d.size())
	}
	for i, v := range w {
		d.rounded[i] = float32(v)
	}
	c := d.outputs
	d.each(func(i int) {
		d.blocks(i, func(lo, hi, g, h int, mask, z kernel.Matrix) {
			out := d.scratch[i].out.RowRange(0, hi-lo)
			for j := range c {
				d.k.InputGrad(z, d.x.RowRange(lo, hi), d.part(d.rounded, j, g, h), mask)
				d.k.MatMul(out, z, kernel.Weights{K: h - g, N: 1, Data: ones[:h-g]}, nil, false)
				for r, v := range out.Data[:hi-lo] {
					dst[(lo+r)*c+j] += float64(s * float64(v))
				}
			}
		})
	})
}

// adjoint adds s·Aᵀ·r, in float32, to dst; r is n×c by rows.
func (d *design) adjoint(dst []float64, s float64, r []float64) {
	c := d.outputs
	if d.column.Rows == 0 {
		d.column = kernel.NewMatrix(d.x.Rows, c)
	}
	for i, v := range r {
		d.column.Data[i] = float32(v)
	}
	d.each(func(i int) {
		if d.scratch[i].part == nil {
			d.scratch[i].part = kernel.Floats(d.size())
		}
		first := d.slots[i].lo
		d.blocks(i, func(lo, hi, g, h int, mask, z kernel.Matrix) {
			for j := range c {
				d.masked(z, d.column.RowRange(lo, hi).ColRange(j, j+1), mask)
				d.k.WeightGrad(d.part(d.scratch[i].part, j, g, h), nil, d.x.RowRange(lo, hi), z, lo > first)
			}
		})
	})
	for i := range d.slots {
		for q, v := range d.scratch[i].part {
			dst[q] += float64(s * float64(v))
		}
	}
}

// split returns float32 parts of x whose sum is x but for 2^-48 of it.
func split(x float64) (hi, lo float32) {
	hi = float32(x)
	return hi, float32(x - float64(hi))
}

// splits returns the parts of a matrix.
func splits(rows, cols int, x []float64) (hi, lo kernel.Matrix) {
	hi, lo = kernel.NewMatrix(rows, cols), kernel.NewMatrix(rows, cols)
	for i, v := range x {
		hi.Data[i], lo.Data[i] = split(v)
	}
	return hi, lo
}

// apply sets z (n×q by rows) to X·w (m×q by rows), with float64 sums of exact products of X
// and the two parts of each weight.
func (d *design) apply(z, w []float64) {
	m := d.x.Cols
	q := len(w) / m
	hi, lo := splits(m, q, w)
	d.each(func(i int) {
		xt := kernel.NewMatrix(m, blockRows)
		for b := d.slots[i].lo; b < d.slots[i].hi; b += blockRows {
			e := min(b+blockRows, d.slots[i].hi)
			for r := b; r < e; r++ {
				for k, v := range d.x.Row(r) {
					xt.Data[k*blockRows+r-b] = v
				}
			}
			z := z[b*q : e*q]
			clear(z)
			d.k.Cross(z, xt.ColRange(0, e-b), hi)
			d.k.Cross(z, xt.ColRange(0, e-b), lo)
		}
	})
}

// forwardExact adds s·A·w to dst, with float64 sums of exact products as in apply. Gates
// without coefficients cost nothing.
func (d *design) forwardExact(dst []float64, s float64, w []float64) {
	m, c := d.x.Cols, d.outputs
	list := d.support(w)
	if len(list) == 0 {
		return
	}
	z, v := make([]float64, d.x.Rows*len(list)), make([]float64, m*len(list))
	for j := range c {
		for q, i := range list {
			for k := range m {
				v[k*len(list)+q] = w[d.at(j, i)+panel*k]
			}
		}
		d.apply(z, v)
		for r := range d.x.Rows {
			bits, z, sum := d.gates.bits[r*d.gates.stride:(r+1)*d.gates.stride], z[r*len(list):(r+1)*len(list)], 0.0
			for q, i := range list {
				on := -uint64(bits[i>>3] >> (i & 7) & 1) // no branch: it would be a coin's toss
				sum += math.Float64frombits(math.Float64bits(z[q]) & on)
			}
			dst[r*c+j] += float64(s * sum)
		}
	}
}

// adjointExact adds s·Aᵀ·r to dst, with float64 sums of exact products of X and the two
// parts of each element of r.
func (d *design) adjointExact(dst []float64, s float64, r []float64) {
	m, c, width := d.x.Cols, d.outputs, d.width()
	hi, lo := splits(d.x.Rows, c, r)
	parts := make([][]float64, len(d.slots))
	for j := range c {
		d.each(func(i int) {
			if parts[i] == nil {
				parts[i] = make([]float64, width*m)
			}
			clear(parts[i])
			d.blocks(i, func(b, e, g, h int, mask, z kernel.Matrix) {
				for _, r := range [...]kernel.Matrix{hi, lo} {
					d.masked(z, r.RowRange(b, e).ColRange(j, j+1), mask)
					d.k.Cross(parts[i][g*m:h*m], d.x.RowRange(b, e), z) // m×(h−g)
				}
			})
		})
		for _, p := range parts {
			for i := range d.gates.count {
				g := i &^ (blockGates - 1)
				step := min(blockGates, width-g)
				at := d.at(j, i)
				for k := range m {
					dst[at+panel*k] += float64(s * p[g*m+k*step+i-g])
				}
			}
		}
	}
}

// support returns the gates that have coefficients other than zero.
func (d *design) support(w []float64) []int {
	var list []int
	for i := range d.gates.count {
		if d.norm(w, i) != 0 {
			list = append(list, i)
		}
	}
	return list
}

// each calls f(0), …, f(n−1), each once, on up to workers goroutines, and returns when all
// calls have. What f(i) computes must not depend on the order.
func each(workers, n int, f func(i int)) {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wait.Wait()
}
