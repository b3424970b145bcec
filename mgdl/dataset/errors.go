package dataset

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxShown is the number of faults an error names one by one.
const maxShown = 5

// An Error is one fault in the data.
type Error struct {
	File         string
	Line         int    // 1-based; 0 if the fault is not in one line
	Row          bool   // Line counts rows, of a file that has no lines
	Column       string // name of the column, if ColumnNumber is not 0
	ColumnNumber int    // 1-based; 0 if the fault is not in one column
	Msg          string
	Hint         string // what to do about it, or empty
}

// Error returns one line such as
//
//	houses.csv:1841: column "area" (4): "12,5o" is not a number
//
// It does not contain the hint.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		switch {
		case e.Row:
			b.WriteString(": row ")
		case e.File == "":
			b.WriteString("line ")
		default:
			b.WriteByte(':')
		}
		b.WriteString(strconv.Itoa(e.Line))
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if e.ColumnNumber > 0 {
		fmt.Fprintf(&b, "column %s (%d): ", quote(e.Column), e.ColumnNumber)
	}
	b.WriteString(e.Msg)
	return b.String()
}

// Errors are several faults in the same data.
type Errors struct {
	List []*Error // the first ones: whole columns, then single cells and rows by line
	More int      // number of faults not in List
}

// Error returns a line for each fault of the list, and one that counts the others.
func (e *Errors) Error() string {
	var b strings.Builder
	for i, f := range e.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(f.Error())
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\nand %s more", group(e.More))
	}
	return b.String()
}

// Unwrap returns the faults of the list.
func (e *Errors) Unwrap() []error {
	errs := make([]error, len(e.List))
	for i, f := range e.List {
		errs[i] = f
	}
	return errs
}

// faults collects what is wrong with a table.
type faults struct {
	list []*Error
	n    int // all, in the list or not
}

func (f *faults) add(e *Error) {
	f.list = append(f.list, e)
	f.n++
}

// err returns nil, the only fault, or the first maxShown and the count of the others.
func (f *faults) err() error {
	switch {
	case f.n == 0:
		return nil
	case f.n == 1:
		return f.list[0]
	}
	slices.SortStableFunc(f.list, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.ColumnNumber, b.ColumnNumber))
	})
	list := f.list[:min(len(f.list), maxShown)]
	return &Errors{List: list, More: f.n - len(list)}
}

// Hints returns the different hints of the faults in err, in their order.
func Hints(err error) []string {
	var hints []string
	add := func(e *Error) {
		if e.Hint != "" && !slices.Contains(hints, e.Hint) {
			hints = append(hints, e.Hint)
		}
	}
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) {
		case *Error:
			add(e)
		case interface{ Unwrap() []error }:
			for _, e := range e.Unwrap() {
				walk(e)
			}
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		}
	}
	walk(err)
	return hints
}

// quote returns s in quotes, cut to a length that fits a line.
func quote(s string) string {
	const most = 40
	if len(s) <= most {
		return strconv.Quote(s)
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.Quote(s[:cut]) + "..."
}

// quoteList returns up to most names in quotes, joined as "a", "b" and "c".
func quoteList(names []string, most int, last string) string {
	var b strings.Builder
	shown := min(len(names), most)
	for i, name := range names[:shown] {
		switch {
		case i == 0:
		case i == len(names)-1:
			b.WriteString(" " + last + " ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(quote(name))
	}
	if n := len(names) - shown; n > 0 {
		fmt.Fprintf(&b, " and %s more", group(n))
	}
	return b.String()
}

// group writes n with a comma between thousands.
func group(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural returns "1 thing" or "n things".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return group(n) + " " + thing + "s"
}
