package dataset

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/multigrade/multigrade/mgdl"
)

const (
	maxLevels    = 1000 // different values of a category
	maxLevelSize = 1024 // bytes of a category's text
)

// A cell is one worth naming in an error.
type cell struct {
	line int
	text string // its beginning
}

// A column is what is known of one column while its rows are read.
//
// Up to maxLevels different texts, a cell is stored as the position of its text in
// levels, whatever the text is, because the column may yet be a category. From the next
// text on it can only be numbers or an error: cells are stored as their values and no
// text is kept. A missing cell is stored as NaN in both states.
type column struct {
	name   string
	number int // 1-based
	skip   bool
	rows   bool // faults count rows, not lines

	open   bool // cells are positions
	index  map[string]int
	levels []level
	recent *[1 << recentBits]seen // levels seen lately, by a hash of shortKey

	tally [classes]int
	first [classes][]cell // up to maxShown
	long  cell            // the first text longer than maxLevelSize; line 0 if none
	bytes cell            // the first text that is not UTF-8; line 0 if none

	raw []float64 // once decided: raw values of the levels; nil if cells are values
}

func newColumn(name string, number int) *column {
	return &column{name: name, number: number, open: true, index: map[string]int{}, recent: new([1 << recentBits]seen)}
}

type level struct {
	text  string
	value float64
	class class
}

// A seen is a level whose text is short.
type seen struct {
	key   uint64
	level int32
	class class
}

const recentBits = 8

// add returns what to store for a cell and its class. retype tells that the column is
// not open any more: the caller turns what it stored for earlier rows into values.
func (c *column) add(s []byte, line func(int) int) (stored float64, retype bool) {
	s = trimSpace(s)
	if len(s) == 0 {
		c.count(empty, s, line)
		return math.NaN(), false
	}
	var r *seen
	var key uint64
	if !c.open {
		if v, ok := parseShort(s); ok { // nearly always: parse and count would do the same
			c.tally[number]++
			return v, false
		}
	} else {
		if key = shortKey(s); key != 0 {
			r = &c.recent[key*0x9e3779b97f4a7c15>>(64-recentBits)]
			if r.key == key {
				c.count(r.class, s, line)
				return float64(r.level), false
			}
		}
		if i, ok := c.index[string(s)]; ok {
			k := c.levels[i].class
			c.count(k, s, line)
			if r != nil {
				*r = seen{key, int32(i), k}
			}
			return float64(i), false
		}
	}
	v, k := parse(s)
	c.count(k, s, line)
	if k >= commas && c.bytes.line == 0 && !utf8.Valid(s) {
		c.bytes = cell{line(c.number - 1), clip(s)}
	}
	if !c.open {
		return v, false
	}
	if len(s) > maxLevelSize {
		if k >= commas {
			c.long = cell{line(c.number - 1), clip(s)}
		}
		c.open = false
		return v, true
	}
	if len(c.levels) == maxLevels {
		c.open = false
		return v, true
	}
	text := string(s)
	c.index[text] = len(c.levels)
	c.levels = append(c.levels, level{text, v, k})
	return float64(len(c.levels) - 1), false
}

// shortKey returns a number that stands for a text of at most eight bytes, 0 for others. A
// table has no NUL, so that no two texts have the same one.
func shortKey(s []byte) uint64 {
	if len(s) > 8 || cap(s) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(s[:8]) << (64 - 8*len(s))
}

func (c *column) count(k class, s []byte, line func(int) int) {
	c.tally[k]++
	if k != number && len(c.first[k]) < maxShown {
		c.first[k] = append(c.first[k], cell{line(c.number - 1), clip(s)})
	}
}

// clip returns a copy of as much of s as quote shows.
func clip(s []byte) string {
	return string(s[:min(len(s), 64)])
}

// close forgets the levels of a column that is not open.
func (c *column) close() {
	c.index, c.levels, c.recent = nil, nil, nil
}

// values is the number of cells that hold a value if the column is a category.
func (c *column) values() int {
	return c.numbers() + c.texts()
}

func (c *column) numbers() int { return c.tally[number] + c.tally[infinite] }
func (c *column) texts() int   { return c.tally[commas] + c.tally[text] }

// numeric reports whether the column is of numbers, perhaps with faults. The package
// documentation states the rule.
func (c *column) numeric() bool {
	n, other := c.numbers(), c.texts()
	switch {
	case other == 0:
		return true
	case other == c.tally[commas]:
		return true
	case !c.open && c.long.line == 0 && n >= other:
		return true
	case n < 20 || other > 20:
		return false
	}
	return other*100 <= n+other || other*20 <= n+other && c.differentNumbers() >= 20
}

// differentNumbers counts the texts that are numbers, at most maxLevels of them.
func (c *column) differentNumbers() int {
	if !c.open {
		return maxLevels
	}
	n := 0
	for _, l := range c.levels {
		if l.class == number {
			n++
		}
	}
	return n
}

func (c *column) fault(file string, line int, msg, hint string) *Error {
	return &Error{File: file, Line: line, Row: c.rows, Column: c.name, ColumnNumber: c.number, Msg: msg, Hint: hint}
}

// report adds a fault for each cell of a class.
func (c *column) report(f *faults, file string, k class, msg func(text string) string, hint string) {
	for _, cell := range c.first[k] {
		f.add(c.fault(file, cell.line, msg(cell.text), hint))
	}
	f.n += c.tally[k] - len(c.first[k])
}

// reportNotNumbers adds a fault for each cell that has no place among numbers.
func (c *column) reportNotNumbers(f *faults, file, hint string) {
	c.report(f, file, text, notNumber, hint)
	c.report(f, file, commas, notNumber, "write numbers with a decimal point and without separators of thousands")
	c.report(f, file, infinite, notFinite,
		"leave the cell empty if the value is unknown")
}

func notNumber(s string) string { return quote(s) + " is not a number" }
func notFinite(s string) string { return quote(s) + " is not a finite number" }

// leaveOut is the hint how to do without a column.
func (c *column) leaveOut() string {
	return "--drop " + shellQuote(c.name)
}

// shellQuote quotes a name for a command line if it needs to be.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r == '_' || r == '-' || r == '.' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// decideNumber makes the column one of numbers.
func (c *column) decideNumber() mgdl.Column {
	if c.open {
		c.raw = make([]float64, len(c.levels))
		for i, l := range c.levels {
			c.raw[i] = l.value
		}
	}
	return mgdl.Column{Name: c.name, Kind: mgdl.Number}
}

// decideCategory makes the column a category, or adds why it cannot be one.
func (c *column) decideCategory(f *faults, file, tooMany string) mgdl.Column {
	col := mgdl.Column{Name: c.name, Kind: mgdl.Category}
	switch {
	case c.long.line > 0:
		f.add(c.fault(file, c.long.line, fmt.Sprintf("a text of more than %s bytes, %s, is too long for a category",
			group(maxLevelSize), quote(c.long.text)), "leave the column out: "+c.leaveOut()))
		return col
	case !c.open:
		f.add(c.fault(file, 0, fmt.Sprintf("more than %s different values, too many for a category", group(maxLevels)), tooMany))
		return col
	case c.bytes.line > 0:
		f.add(c.fault(file, c.bytes.line, quote(c.bytes.text)+" is not UTF-8", hintUTF8))
		return col
	}
	if c.texts() == 0 {
		c.report(f, file, infinite, notFinite, "leave the cell empty if the value is unknown")
	}
	order, same := c.sortedLevels()
	missing := c.tally[empty]
	if c.texts() == 0 {
		missing += c.tally[mark]
	}
	if missing > 0 {
		col.Levels = append(col.Levels, "")
	}
	c.raw = make([]float64, len(c.levels))
	for i := range c.raw {
		c.raw[i] = math.NaN()
	}
	for i, l := range order {
		if i == 0 || !same(order[i-1], l) {
			col.Levels = append(col.Levels, c.levels[l].text)
		}
		c.raw[l] = float64(len(col.Levels) - 1)
	}
	return col
}

// sortedLevels returns the positions of the levels of a category in their order, and
// how to tell that two neighbours are one level.
func (c *column) sortedLevels() (order []int, same func(i, j int) bool) {
	if c.texts() > 0 {
		for i := range c.levels {
			order = append(order, i)
		}
		slices.SortFunc(order, func(i, j int) int { return strings.Compare(c.levels[i].text, c.levels[j].text) })
		return order, func(i, j int) bool { return i == j }
	}
	for i, l := range c.levels {
		if l.class == number {
			order = append(order, i)
		}
	}
	// The sort is stable, so the first text of those with equal value names the level.
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(c.levels[i].value, c.levels[j].value) })
	return order, func(i, j int) bool { return c.levels[i].value == c.levels[j].value }
}

// decideFeature decides the kind of a feature.
func (c *column) decideFeature(f *faults, notes *[]string, file string, category bool) mgdl.Column {
	switch {
	case c.values() == 0:
		f.add(c.fault(file, 0, "no cell has a value", "leave the column out: "+c.leaveOut()))
		return mgdl.Column{Name: c.name}
	case !category && c.numeric():
		c.reportNotNumbers(f, file, "correct the cell, or leave it empty if the value is unknown; if the column is a category: --category "+shellQuote(c.name))
		return c.decideNumber()
	}
	col := c.decideCategory(f, file, "an identifier, a date or free text? leave the column out: "+c.leaveOut())
	if n := c.tally[number]; !category && n > c.texts() && c.open {
		*notes = append(*notes, fmt.Sprintf("column %s (%d) is read as a category: %s, %s not, such as %s",
			quote(c.name), c.number, plural(n, "cell")+" hold numbers", group(c.texts()), quote(c.firstText().text)))
	}
	if n := len(c.levels); n > 100 && n > c.values()*9/10 {
		*notes = append(*notes, fmt.Sprintf("column %s (%d) has %s different values in %s: if it is an identifier, leave it out: %s",
			quote(c.name), c.number, group(n), plural(c.values(), "cell"), c.leaveOut()))
	}
	return col
}

// firstText returns the first cell that is not a number.
func (c *column) firstText() cell {
	a, b := c.first[text], c.first[commas]
	if len(a) == 0 || len(b) > 0 && b[0].line < a[0].line {
		a = b
	}
	return a[0]
}
