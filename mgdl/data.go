package mgdl

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"github.com/multigrade/multigrade/kernel"
)

// Data is a table of raw rows: what Train learns from and Evaluate measures on.
//
// X holds Rows×len(Schema.Features) values and Y Rows×len(Schema.Targets), row by
// row. A category is the position of its level in Levels, NaN is a missing value and
// any other position (by convention −1) an unknown level. Targets must not be missing.
//
// A table that is too large for float64 has a Source instead of X.
type Data struct {
	Schema Schema
	Rows   int
	X, Y   []float64
	Source Source // of the values of X; nil if they are in X
}

// A Source holds the raw values of features in a form of its own, which may take less
// memory than X, such as dataset.Packed. It is read from one goroutine at a time.
//
// Train reads a column after the other, and then the rows in order, once. A Source that
// has a method Release(hi int) is told, on the way, that rows before hi have been read: it
// may let go of them, so that raw values and network inputs never are in memory together.
type Source interface {
	// ReadRows sets dst, which is whole rows, to the values of the rows from lo on.
	ReadRows(dst []float64, lo int)
	// ReadColumn sets dst, one element a row, to the values of feature j.
	ReadColumn(dst []float64, j int)
}

// rows returns the raw values of rows lo to hi, in buf if they are not in memory as they are.
func (d *Data) rows(buf []float64, lo, hi, features int) []float64 {
	if d.Source == nil {
		return d.X[lo*features : hi*features]
	}
	buf = slices.Grow(buf[:0], (hi-lo)*features)[:(hi-lo)*features]
	d.Source.ReadRows(buf, lo)
	return buf
}

// column sets col to the values of feature j and returns how many are missing.
func (d *Data) column(col []float64, j, features int) (missing int) {
	if d.Source == nil {
		return gather(col, d.X, j, features)
	}
	d.Source.ReadColumn(col, j)
	return gather(col, col, 0, 1)
}

// NewData returns a table of plain numbers for regression: x holds rows of features
// values, named x1, x2, ..., and y rows of targets values, named y1, y2, .... Both are
// kept, not copied. Lengths that do not fit are reported by Train and Evaluate.
func NewData(x []float64, features int, y []float64, targets int) Data {
	d := Data{X: x, Y: y}
	d.Schema.Features = plainColumns("x", features)
	d.Schema.Targets = plainColumns("y", targets)
	if features > 0 {
		d.Rows = len(x) / features
	}
	return d
}

func plainColumns(prefix string, n int) []Column {
	cols := make([]Column, max(n, 0))
	for i := range cols {
		cols[i].Name = prefix + strconv.Itoa(i+1)
	}
	return cols
}

// check reports the first thing wrong with the rows of d, read with the columns of s:
// lengths, infinite values, targets that are missing or no class.
func (d *Data) check(s Schema) error {
	if d.Source == nil {
		if err := checkLength("X", len(d.X), d.Rows, len(s.Features), "features"); err != nil {
			return err
		}
	} else if d.X != nil {
		return errors.New("mgdl: the data has both X and Source, want one")
	}
	if err := checkLength("Y", len(d.Y), d.Rows, len(s.Targets), "targets"); err != nil {
		return err
	}
	var buf []float64
	for lo := 0; lo < d.Rows; lo += blockRows {
		buf = d.rows(buf, lo, min(lo+blockRows, d.Rows), len(s.Features))
		for i, v := range buf {
			if v-v != 0 && v == v {
				return d.cellError(lo*len(s.Features)+i, s.Features, "the value is infinite")
			}
		}
	}
	classes := float64(s.outputs())
	for i, v := range d.Y {
		switch {
		case math.IsNaN(v):
			return d.cellError(i, s.Targets, "the target is missing")
		case math.IsInf(v, 0):
			return d.cellError(i, s.Targets, "the target is infinite")
		case s.Task == Classification && !(v >= 0 && v < classes && v == math.Trunc(v)):
			return d.cellError(i, s.Targets, fmt.Sprintf("%v is no class: classes are 0 to %v", v, classes-1))
		}
	}
	return nil
}

func checkLength(name string, n, rows, cols int, what string) error {
	if rows >= 0 && rows <= n && int64(n) == int64(rows)*int64(cols) { // cols ≥ 1; no overflow
		return nil
	}
	return fmt.Errorf("mgdl: %s has %d values, want %d rows × %d %s", name, n, rows, cols, what)
}

// cellError is about element i of rows of cols.
func (d *Data) cellError(i int, cols []Column, msg string) error {
	return fmt.Errorf("mgdl: row %d of %d, column %q: %s", i/len(cols)+1, d.Rows, cols[i%len(cols)].Name, msg)
}

// prepare measures d and encodes it. It returns d's schema with the statistics filled
// in, the inputs (rows × schema.inputs()), and the targets: in standardised units
// (rows × targets) for regression, as class codes for classification, the other one
// empty. d is left as it is.
//
// If raw, the statistics are those that leave numbers as they are.
func prepare(ctx context.Context, d Data, raw bool) (schema Schema, inputs, targets kernel.Matrix, classes []int32, err error) {
	schema = d.Schema.clone()
	if err = schema.measure(ctx, &d); err != nil {
		return Schema{}, inputs, targets, nil, err
	}
	if raw {
		schema.leaveRaw()
	}
	inputs, targets, classes, err = schema.encode(d)
	return schema, inputs, targets, classes, err
}

// encode returns the inputs and the targets of rows that fit the measured schema s, as
// prepare does. It is for rows that were not measured, such as a holdout.
func (s Schema) encode(d Data) (inputs, targets kernel.Matrix, classes []int32, err error) {
	if err = s.compatible(d.Schema); err != nil {
		return inputs, targets, nil, err
	}
	if err = d.check(s); err != nil {
		return inputs, targets, nil, err
	}
	if n := int64(d.Rows) * int64(s.inputs()); n > math.MaxInt/8 {
		return inputs, targets, nil, fmt.Errorf("mgdl: %d rows × %d inputs are too many for this machine", d.Rows, s.inputs())
	}
	inputs = kernel.NewMatrix(d.Rows, s.inputs())
	var raw []float64
	done, _ := d.Source.(interface{ Release(hi int) })
	for lo := 0; lo < d.Rows; lo += blockRows {
		hi := min(lo+blockRows, d.Rows)
		raw = d.rows(raw, lo, hi, len(s.Features))
		s.encodeRows(inputs.RowRange(lo, hi), raw)
		if done != nil {
			done.Release(hi)
		}
	}
	if s.Task == Classification {
		classes = make([]int32, d.Rows)
		for i, v := range d.Y {
			classes[i] = int32(v)
		}
		return inputs, targets, classes, nil
	}
	targets = kernel.NewMatrix(d.Rows, len(s.Targets))
	for i := range d.Rows {
		row := targets.Row(i)
		for j := range s.Targets {
			c := &s.Targets[j]
			row[j] = float32((d.Y[i*len(s.Targets)+j] - c.Mean) / c.Scale)
		}
	}
	return inputs, targets, nil, nil
}

// measure fills in the statistics of s, d's own schema, from all rows of d: float64,
// plain loops in row order, so the same bits everywhere. It ends between two columns when ctx
// is done.
func (s *Schema) measure(ctx context.Context, d *Data) error {
	if err := s.validate(false); err != nil {
		return err
	}
	if d.Rows < 2 {
		return fmt.Errorf("mgdl: training needs at least 2 rows, there are %d", d.Rows)
	}
	if err := d.check(*s); err != nil {
		return err
	}
	col := make([]float64, d.Rows)
	tmp := make([]float64, d.Rows)
	for j := range s.Features {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &s.Features[j]
		if missing := d.column(col, j, len(s.Features)); missing == d.Rows {
			return fmt.Errorf("mgdl: column %q: every value is missing", c.Name)
		} else if c.Kind == Category {
			if missing > 0 && !slices.Contains(c.Levels, "") {
				c.Levels = append(c.Levels, "")
			}
			continue
		}
		if err := c.measure(col, tmp); err != nil {
			return err
		}
	}
	if s.Task == Classification {
		c := &s.Targets[0]
		if i := slices.IndexFunc(d.Y, func(v float64) bool { return v != d.Y[0] }); i < 0 {
			return fmt.Errorf("mgdl: target %q is %q in every row: there is nothing to learn", c.Name, c.Levels[int(d.Y[0])])
		}
		return s.validate(true)
	}
	for j := range s.Targets {
		c := &s.Targets[j]
		gather(col, d.Y, j, len(s.Targets))
		if err := c.measure(col, tmp); err != nil {
			return err
		}
		if c.Scale == 0 {
			return fmt.Errorf("mgdl: target %q is %v in every row: there is nothing to learn", c.Name, c.Mean)
		}
	}
	return s.validate(true)
}

// leaveRaw changes the measured statistics so that numbers stay as they are; constant
// features stay out. Targets may be predicted beyond their range by half of it.
func (s *Schema) leaveRaw() {
	for _, cols := range [...][]Column{s.Features, s.Targets} {
		for j := range cols {
			if c := &cols[j]; c.Kind == Number && c.Scale != 0 {
				c.Mean, c.Scale = 0, 1
			}
		}
	}
	for j := range s.Targets {
		c := &s.Targets[j]
		if room := float64(0.5 * (c.Max - c.Min)); !math.IsInf(float64(2*room)+math.Abs(c.Max)+math.Abs(c.Min), 0) {
			c.Min, c.Max = c.Min-room, c.Max+room
		}
	}
}

// gather copies column j of rows of n values to col and returns how many are missing.
func gather(col, x []float64, j, n int) (missing int) {
	for i := range col {
		v := x[i*n+j]
		if v != v {
			missing++
		}
		col[i] = v
	}
	return missing
}

// measure sets the statistics of a number column from its values, of which at least one
// is not NaN and none is infinite. tmp is scratch as long as col; col is overwritten.
//
// Mean and Scale are two-pass, the mean with a correction; they are taken after Missing
// has replaced NaN, so that inputs have mean 0 and deviation 1.
func (c *Column) measure(col, tmp []float64) error {
	present := tmp[:0]
	for _, v := range col {
		if v == v {
			present = append(present, v)
		}
	}
	c.Min, c.Max = plusZero(slices.Min(present)), plusZero(slices.Max(present))
	c.Missing = median(present)
	if math.IsInf(c.Max-c.Min, 0) {
		return fmt.Errorf("mgdl: column %q: the values from %v to %v span more than a float64 can hold", c.Name, c.Min, c.Max)
	}
	if c.Min == c.Max {
		c.Mean, c.Scale = c.Min, 0
		return nil
	}
	p := safeFactor(max(math.Abs(c.Min), math.Abs(c.Max)))
	n := float64(len(col))
	sum := 0.0
	for i, v := range col {
		if v != v {
			v = c.Missing
		}
		col[i] = float64(v * p)
		sum += col[i]
	}
	mean := sum / n
	sum = 0
	for _, v := range col {
		sum += v - mean
	}
	mean += sum / n
	sum = 0
	for _, v := range col {
		d := v - mean
		sum += float64(d * d)
	}
	c.Mean = plusZero(min(max(mean/p, c.Min), c.Max))
	c.Scale = math.Sqrt(sum/n) / p
	return nil
}

// median returns the middle value of numbers, the mean of the two middle ones if their
// count is even. It changes their order.
func median(x []float64) float64 {
	half := len(x) / 2
	m := nth(x, half)
	if len(x)%2 == 0 {
		if below := slices.Max(x[:half]); below != m {
			m = float64(below*0.5) + float64(m*0.5) // halves first: the sum may be too large
		}
	}
	return plusZero(m)
}

// nth puts the element that would be x[k] if x were sorted there, smaller or equal ones
// before it and others behind, and returns it. None is NaN. It takes time in proportion to
// len(x), unless x is made to defeat it, and is sorted then.
func nth(x []float64, k int) float64 {
	lo, hi := 0, len(x) // x[k] belongs in x[lo:hi]
	for tries := 2 * bits.Len(uint(len(x))); hi-lo > 12 && tries > 0; tries-- {
		a, b, c := x[lo], x[lo+(hi-lo)/2], x[hi-1]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := lo, hi-1
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		switch { // x[lo:j+1] ≤ pivot = x[j+1:i] ≤ x[i:hi]
		case k <= j:
			hi = j + 1
		case k >= i:
			lo = i
		default:
			return x[k]
		}
	}
	slices.Sort(x[lo:hi])
	return x[k]
}

// plusZero returns v, and +0 for −0: sorting leaves open which of equals comes first.
func plusZero(v float64) float64 {
	if v == 0 {
		return 0
	}
	return v
}

// safeFactor returns a power of two p such that numbers of which the largest is maxAbs
// can be multiplied by p, their differences squared and summed 2³¹ times without
// overflow, and without losing the largest difference to underflow. Proof: p·maxAbs is
// within 2^−474 and 2^400, so differences are at most 2^401 and sums of squares 2^833;
// a largest difference that is not 0 is at least a unit in the last place of p·maxAbs,
// which is 2^−475 for the subnormal numbers and 2^−353 for all others, and its square is
// a normal number. Products with p are exact but for digits far below those units.
func safeFactor(maxAbs float64) float64 {
	switch {
	case maxAbs > 0x1p400:
		return 0x1p-700
	case maxAbs < 0x1p-300:
		return 0x1p600
	}
	return 1
}

// maxAbs returns the largest magnitude in x, 0 if it is empty.
func maxAbs(x []float64) float64 {
	m := 0.0
	for _, v := range x {
		m = max(m, math.Abs(v))
	}
	return m
}
