package dataset

// blockCells is about the number of cells of a block: enough that blocks are few, too
// few that a block matters beside the table.
const blockCells = 1 << 16

// rows holds a growing table. Blocks are never copied to grow, which would take the
// memory of the table a second time.
type rows struct {
	width  int
	n      int // rows
	blocks [][]float64
}

func (r *rows) perBlock() int {
	return max(1, blockCells/max(1, r.width))
}

// add appends a row of zeros and returns it.
func (r *rows) add() []float64 {
	per := r.perBlock()
	if r.n == len(r.blocks)*per {
		// The first block grows with its rows, for the sake of small tables.
		size := per * r.width
		if r.n == 0 {
			size = min(size, 64*r.width)
		}
		r.blocks = append(r.blocks, make([]float64, 0, size))
	}
	b := &r.blocks[len(r.blocks)-1]
	at := len(*b)
	for range r.width {
		*b = append(*b, 0)
	}
	r.n++
	return (*b)[at:]
}

// replace applies f to column j of the first n rows.
func (r *rows) replace(j int, f func(float64) float64, n int) {
	for _, b := range r.blocks {
		for i := j; i < len(b) && n > 0; i += r.width {
			b[i] = f(b[i])
			n--
		}
	}
}

// flat returns all rows one after the other. It lets go of the blocks as it goes.
func (r *rows) flat() []float64 {
	x := make([]float64, 0, r.n*r.width)
	for i, b := range r.blocks {
		x = append(x, b...)
		r.blocks[i] = nil
	}
	return x
}

// split returns the raw values of the features and of the targets of decided columns.
// It lets go of the blocks as it goes.
func (r *rows) split(columns []*column, features, targets []int) (x, y []float64) {
	x = make([]float64, 0, r.n*len(features))
	y = make([]float64, 0, r.n*len(targets))
	value := func(row []float64, i int) float64 {
		v := row[i]
		if raw := columns[i].raw; raw != nil && v == v {
			v = raw[int(v)]
		}
		return v
	}
	for k, b := range r.blocks {
		for ; len(b) > 0; b = b[r.width:] {
			for _, i := range features {
				x = append(x, value(b, i))
			}
			for _, i := range targets {
				y = append(y, value(b, i))
			}
		}
		r.blocks[k] = nil
	}
	return x, y
}
