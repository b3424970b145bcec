package kernel

import (
	"math"
	"math/bits"
	"unsafe"
)

// A Matrix is a row-major view: element (i, j) is Data[i*Stride+j].
// The zero Matrix is empty. Copying a Matrix copies the view, not the elements.
type Matrix struct {
	Rows, Cols int
	Stride     int // distance between rows, at least Cols
	Data       []float32
}

// mostElements is the largest number of elements whose size in bytes, and some more, is an int.
const mostElements = math.MaxInt/4 - 64

// Floats returns n zeros that begin at a multiple of 64 bytes, the size of a cache line
// and of the widest vector: unaligned streams cost up to twice the time.
func Floats(n int) []float32 {
	const line = 64 / 4
	n = elements(n, 1)
	s := make([]float32, n+line-1)
	off := int(-(uintptr(unsafe.Pointer(unsafe.SliceData(s))) / 4) % line)
	return s[off : off+n : off+n]
}

// NewMatrix returns a rows×cols matrix of zeros, aligned as Floats does.
func NewMatrix(rows, cols int) Matrix {
	return Matrix{Rows: rows, Cols: cols, Stride: cols, Data: Floats(elements(rows, cols))}
}

// Row returns row i with its capacity cut, so that append cannot reach row i+1.
func (m Matrix) Row(i int) []float32 {
	if uint(i) >= uint(m.Rows) {
		panic("kernel: row out of range")
	}
	if m.Cols == 0 {
		return nil
	}
	o := i * m.Stride
	return m.Data[o : o+m.Cols : o+m.Cols]
}

// RowRange returns the view of rows i up to, not including, j.
func (m Matrix) RowRange(i, j int) Matrix {
	if i < 0 || j < i || j > m.Rows {
		panic("kernel: row range out of bounds")
	}
	return m.view(i, 0, j-i, m.Cols)
}

// ColRange returns the view of columns i up to, not including, j.
func (m Matrix) ColRange(i, j int) Matrix {
	if i < 0 || j < i || j > m.Cols {
		panic("kernel: column range out of bounds")
	}
	return m.view(0, i, m.Rows, j-i)
}

func (m Matrix) view(i, j, rows, cols int) Matrix {
	v := Matrix{Rows: rows, Cols: cols, Stride: m.Stride}
	if rows > 0 && cols > 0 {
		o := i*m.Stride + j
		v.Data = m.Data[o : o+span(rows, cols, m.Stride)]
	}
	return v
}

// elements returns a·b and panics if there cannot be so many elements.
func elements(a, b int) int {
	if a|b < 0 {
		panic("kernel: negative size")
	}
	hi, lo := bits.Mul(uint(a), uint(b))
	if hi != 0 || lo > mostElements {
		panic("kernel: size out of range")
	}
	return int(lo)
}

// span is the number of elements from the first to the last of a rows×cols view.
func span(rows, cols, stride int) int {
	if rows == 0 || cols == 0 {
		return 0
	}
	return (rows-1)*stride + cols
}

// check panics unless m describes memory it has.
func (m *Matrix) check() {
	if m.Rows|m.Cols < 0 || m.Stride < m.Cols && m.Rows > 1 || !m.fits() {
		m.fail()
	}
}

// fits tells whether Data reaches to the last element.
func (m *Matrix) fits() bool {
	if m.Rows == 0 || m.Cols == 0 {
		return true
	}
	hi, last := bits.Mul(uint(m.Rows-1), uint(m.Stride))
	return hi == 0 && last <= uint(len(m.Data)) && last+uint(m.Cols) <= uint(len(m.Data))
}

// fail panics with what is wrong with m. It is apart from check, which is inlined.
func (m *Matrix) fail() {
	switch {
	case m.Rows|m.Cols < 0:
		panic("kernel: negative size")
	case m.Stride < m.Cols && m.Rows > 1:
		panic("kernel: stride below number of columns")
	default:
		panic("kernel: matrix data too short")
	}
}

// overlap tells whether two slices share memory.
func overlap(a, b []float32) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	p, q := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return p < q+4*uintptr(len(b)) && q < p+4*uintptr(len(a))
}

// overlaps tells whether elements of m and o may share memory. Views of disjoint columns
// of one matrix (equal strides) are told apart.
func (m *Matrix) overlaps(o *Matrix) bool {
	return overlap(m.Data, o.Data) && m.meets(o)
}

func (m *Matrix) meets(o *Matrix) bool {
	a, b := m.Data[:span(m.Rows, m.Cols, m.Stride)], o.Data[:span(o.Rows, o.Cols, o.Stride)]
	if !overlap(a, b) {
		return false
	}
	if m.Stride != o.Stride || m.Stride == 0 {
		return true
	}
	// Both views repeat with the same period: compare the columns they use in it.
	p, q := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	d := int(int64(q)-int64(p)) / 4
	d = ((d % m.Stride) + m.Stride) % m.Stride // columns of o begin d after those of m, modulo the period
	return d < m.Cols || d+o.Cols > m.Stride
}
