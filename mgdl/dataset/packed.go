package dataset

import (
	"encoding/binary"
	"math"
	"runtime/debug"

	"github.com/multigrade/multigrade/mgdl"
)

// Packed is a table of numbers in little memory, every bit of which can be had back. It is
// an mgdl.Source.
//
// It is kept by columns, in blocks of rows. Within a block, decimals and whole numbers of a
// column are integers over a power of ten, in as few bytes as their span needs: six digits
// of text take three bytes or less, a category one or two. Values that are float32 take
// four bytes and others eight.
type Packed struct {
	rows, per int // per block
	columns   []packedColumn
}

// A packedColumn is a column, a chunk a block. If there is raw, its values are positions in
// that.
type packedColumn struct {
	chunks []chunk
	raw    []float64
}

// blockCells is about the number of cells of a block: enough that blocks are few, too
// few that a block matters beside the table.
const blockCells = 1 << 16

// blockRows returns the rows of a block of a table of that many columns.
func blockRows(width int) int { return max(64, blockCells/max(1, width)) }

// A chunk holds the values of one column in one block. Value i is made of the little-endian
// integer u of size bytes from data[i·size] on:
//
//	scaled   float64(base+u)/10^power, but NaN if u is nan and −0 if u is minus
//	single   the float32 with the bits u
//	double   the float64 with the bits u
type chunk struct {
	data  []byte // followed by room for a load of eight bytes
	least float64
	most  float64 // of the values; least is above most if all are NaN
	base  int64
	nan   uint64 // none if not a number of size bytes
	minus uint64
	size  uint8
	power uint8
	kind  chunkKind
}

// none is an integer that no value has.
const none = math.MaxUint64

type chunkKind uint8

const (
	scaled chunkKind = iota
	single
	double
)

// wide is the number of bytes of a load, which reach past the last value.
const wide = 8

// largest returns the largest integer of size bytes.
func largest(size uint8) uint64 { return 1<<(8*size) - 1 }

// pack returns the chunk of values. power is where to begin looking for the power of ten:
// that of the column's block before. scratch grows to the integers of a block.
func pack(values []float64, power uint8, scratch *[]int64) chunk {
	if c, ok := packScaled(values, power, scratch); ok {
		return c
	}
	c := chunk{kind: single, size: 4, least: math.Inf(1), most: math.Inf(-1)}
	for _, v := range values {
		if v == v && float64(float32(v)) != v {
			c.kind, c.size = double, 8
		}
		if v < c.least {
			c.least = v
		}
		if v > c.most {
			c.most = v
		}
	}
	c.data = make([]byte, len(values)*int(c.size)+wide)
	for i, v := range values {
		if c.kind == single {
			binary.LittleEndian.PutUint32(c.data[4*i:], math.Float32bits(float32(v)))
		} else {
			binary.LittleEndian.PutUint64(c.data[8*i:], math.Float64bits(v))
		}
	}
	return c
}

// packScaled packs values that are integers over a power of ten, if they fit four bytes, or
// six where float32 does not hold them.
func packScaled(values []float64, power uint8, scratch *[]int64) (chunk, bool) {
	const powers, most = 16, 1 << 51
	const nearest = 3 << 51 // a number to which only whole numbers below most can be added
	if len(*scratch) < len(values) {
		*scratch = make([]int64, len(values))
	}
	ints := (*scratch)[:len(values)]
	c := chunk{power: power, nan: none, minus: none}
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	var missing, minus bool
	for at := 0; at < len(values); at++ {
		v := values[at]
		if v != v {
			missing = true
			continue
		}
		if v == 0 && math.Signbit(v) {
			minus = true
			continue
		}
		p := pow10[c.power]
		x := float64(v * p)
		if !(x > -most && x < most) {
			return c, false
		}
		n := int64(x + nearest - nearest)
		if c.power > 0 && float64(n)/p != v || c.power == 0 && float64(n) != v {
			if c.power++; c.power == powers {
				return c, false
			}
			// What fits a power of ten fits those above, but lo and hi are of the one below.
			at, lo, hi = -1, math.MaxInt64, math.MinInt64
			continue
		}
		ints[at] = n
		lo, hi = min(lo, n), max(hi, n)
	}
	c.least, c.most = math.Inf(1), math.Inf(-1)
	if minus {
		c.least, c.most = 0, 0
	}
	used := uint64(0) // integers
	if lo <= hi {
		c.base, used = lo, uint64(hi-lo)+1
		p := pow10[c.power]
		c.least, c.most = min(c.least, float64(lo)/p), max(c.most, float64(hi)/p)
	}
	if missing {
		c.nan = used
		used++
	}
	if minus {
		c.minus = used
		used++
	}
	for largest(c.size) < used-1 {
		c.size++
	}
	if c.size > 6 {
		return c, false
	}
	c.data = make([]byte, len(values)*int(c.size)+wide)
	for i, v := range values {
		u := uint64(ints[i] - c.base)
		if v != v {
			u = c.nan
		} else if v == 0 && math.Signbit(v) {
			u = c.minus
		}
		binary.LittleEndian.PutUint64(c.data[i*int(c.size):], u)
	}
	clear(c.data[len(values)*int(c.size):])
	return c, true
}

// unpack sets every stride-th element of dst, from its first, to n values from value lo on.
func (c *chunk) unpack(dst []float64, stride, lo, n int) {
	size := int(c.size)
	data := c.data[lo*size:]
	switch mask := largest(c.size); c.kind {
	case scaled:
		p, nan, minus := pow10[c.power], c.nan, c.minus
		for i := range n {
			u := binary.LittleEndian.Uint64(data[i*size:]) & mask
			v := float64(c.base+int64(u)) / p
			if u == nan {
				v = math.NaN()
			} else if u == minus {
				v = math.Copysign(0, -1)
			}
			dst[i*stride] = v
		}
	case single:
		for i := range n {
			dst[i*stride] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		}
	default:
		for i := range n {
			dst[i*stride] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
		}
	}
}

// unpack sets every stride-th element of dst, from its first, to n values of block b, from
// value lo on.
func (c *packedColumn) unpack(dst []float64, stride, b, lo, n int) {
	if c.chunks[b].data == nil {
		panic("dataset: the rows have been let go")
	}
	c.chunks[b].unpack(dst, stride, lo, n)
	if c.raw == nil {
		return
	}
	for i := 0; i < n*stride; i += stride {
		if v := dst[i]; v == v {
			dst[i] = c.raw[int(v)]
		}
	}
}

// extent returns the least and the largest of the column's values.
func (c *packedColumn) extent() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for i := range c.chunks {
		lo, hi = min(lo, c.chunks[i].least), max(hi, c.chunks[i].most)
	}
	if c.raw != nil && lo <= hi { // every one of them has been seen
		return extent(c.raw, 0, 1)
	}
	return lo, hi
}

// Rows returns the number of rows.
func (p *Packed) Rows() int { return p.rows }

// Bytes returns the memory that the values take.
func (p *Packed) Bytes() int {
	n := 0
	for _, col := range p.columns {
		for i := range col.chunks {
			n += len(col.chunks[i].data)
		}
	}
	return n
}

// ReadRows sets dst, which is whole rows, to the rows from lo on, row by row.
func (p *Packed) ReadRows(dst []float64, lo int) {
	width := len(p.columns)
	n := len(dst) / width
	for at := 0; at < n; {
		block, from := (lo+at)/p.per, (lo+at)%p.per
		count := min(n-at, p.per-from)
		for j := range p.columns {
			p.columns[j].unpack(dst[at*width+j:], width, block, from, count)
		}
		at += count
	}
}

// ReadColumn sets dst, one element a row, to the values of column j.
func (p *Packed) ReadColumn(dst []float64, j int) {
	for b := range p.columns[j].chunks {
		lo := b * p.per
		p.columns[j].unpack(dst[lo:], 1, b, 0, min(p.per, p.rows-lo))
	}
}

// Consume returns p as a Source for one Train, on the way of which p lets go of its rows:
// the memory goes back to the system while the network's inputs take their place. p must
// not be read afterwards.
func (p *Packed) Consume() mgdl.Source { return &consumed{Packed: p, bytes: p.Bytes()} }

type consumed struct {
	*Packed
	bytes    int // of all rows
	returned int // rows whose memory is the system's
}

// Release lets go of the rows before hi. Every 32 MB it has the runtime return what has been
// let go, which would otherwise wait for the heap to double.
func (c *consumed) Release(hi int) {
	const step = 32 << 20
	c.release(hi)
	if c.bytes > step && (hi-c.returned >= c.rows/(c.bytes/step) || hi == c.rows) {
		c.returned = hi
		debug.FreeOSMemory()
	}
}

// flat returns all rows one after the other and lets go of the blocks.
func (p *Packed) flat() []float64 {
	width := len(p.columns)
	x := make([]float64, p.rows*width)
	if width == 0 {
		return x
	}
	for lo := 0; lo < p.rows; lo += p.per {
		p.ReadRows(x[lo*width:min(lo+p.per, p.rows)*width], lo)
		p.release(lo + p.per)
	}
	return x
}

// release lets go of the blocks whose rows are all before hi.
func (p *Packed) release(hi int) {
	if hi >= p.rows {
		hi = len(p.columns[0].chunks) * p.per // the last block may be short
	}
	for j := range p.columns {
		chunks := p.columns[j].chunks
		for b := min(hi/p.per, len(chunks)) - 1; b >= 0 && chunks[b].data != nil; b-- {
			chunks[b].data = nil
		}
	}
}

// A packer packs a table row by row.
type packer struct {
	Packed
	block []float64 // the rows that are not packed yet, row by row
	col   []float64 // scratch
	ints  []int64
}

func newPacker(width int) *packer {
	return &packer{Packed: Packed{per: blockRows(width), columns: make([]packedColumn, width)}}
}

// add appends a row and returns it, to be set.
func (p *packer) add() []float64 {
	width := len(p.columns)
	if len(p.block) == p.per*width {
		p.flush()
	}
	n := len(p.block)
	if n == cap(p.block) {
		// The first block grows with its rows, for the sake of small tables.
		grown := make([]float64, n, min(max(64*width, 2*n), p.per*width))
		copy(grown, p.block)
		p.block = grown
	}
	p.block = p.block[:n+width]
	p.rows++
	return p.block[n:]
}

// flush packs the rows of the block.
func (p *packer) flush() {
	width := len(p.columns)
	if width == 0 || len(p.block) == 0 {
		return
	}
	n := len(p.block) / width
	if cap(p.col) < n {
		p.col = make([]float64, n)
	}
	for j := range width {
		col := p.col[:n]
		for i := range col {
			col[i] = p.block[i*width+j]
		}
		p.columns[j].add(col, &p.ints)
	}
	p.block = p.block[:0]
}

// add appends a block of values.
func (c *packedColumn) add(values []float64, scratch *[]int64) {
	power := uint8(0)
	if n := len(c.chunks); n > 0 && c.chunks[n-1].kind == scaled {
		power = c.chunks[n-1].power
	}
	c.chunks = append(c.chunks, pack(values, power, scratch))
}

// finish packs what is left and returns the table.
func (p *packer) finish() *Packed {
	p.flush()
	p.block, p.col, p.ints = nil, nil, nil
	return &p.Packed
}

// replace applies f to column j of all rows but the last one.
func (p *packer) replace(j int, f func(float64) float64) {
	width := len(p.columns)
	for i := j; i < len(p.block)-width; i += width {
		p.block[i] = f(p.block[i])
	}
	old := p.columns[j]
	p.columns[j] = packedColumn{}
	values := make([]float64, p.per)
	for b := range old.chunks {
		old.unpack(values, 1, b, 0, p.per)
		for i, v := range values {
			values[i] = f(v)
		}
		p.columns[j].add(values, &p.ints)
	}
}

// pick returns the table of some columns, whose values stand for those in raw if that is
// not nil. They are shared with p.
func (p *Packed) pick(at []int, raw func(column int) []float64) *Packed {
	out := &Packed{rows: p.rows, per: p.per}
	for _, j := range at {
		out.columns = append(out.columns, packedColumn{p.columns[j].chunks, raw(j)})
	}
	return out
}
