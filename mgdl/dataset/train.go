package dataset

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/multigrade/multigrade/mgdl"
)

// Options says how ReadCSV reads a table.
type Options struct {
	Target   []string // target columns; none means the last column
	Task     string   // "auto" or empty: classify if the target is not numeric; "regress"; "classify"
	Comma    rune     // separates fields; 0 means a tab if the name ends in .tsv or .tab, else a comma
	Drop     []string // columns to leave out
	Category []string // columns to read as categories even if they hold numbers
	Packed   bool     // hand the features out as a *Packed in Data.Source, not in Data.X
}

// Info says what ReadCSV found, for people to read.
type Info struct {
	Rows            int
	Numbers         int            // features that are numbers
	Categories      int            // features that are categories
	MissingCells    int            // of the features; targets have none
	MissingByColumn map[string]int // features with missing cells
	Dropped         []string       // features that are constant: part of the schema, but they tell nothing
	Notes           []string       // what else is worth a look, a sentence each
}

// ReadCSV reads a table for training, decides the kinds of its columns and returns its
// rows in order. Features keep the order of the file, targets that of the options. name
// stands for the file in errors.
//
// A classification target may have up to 1,000 classes; a target has a value in every
// row, and not always the same one.
func ReadCSV(r io.Reader, name string, o Options) (mgdl.Data, Info, error) {
	if err := checkTask(o.Task); err != nil {
		return mgdl.Data{}, Info{}, err
	}
	t, err := open(r, name, o.Comma)
	if err != nil {
		return mgdl.Data{}, Info{}, err
	}
	tab := &table{reader: t}
	if err := tab.choose(o); err != nil {
		return mgdl.Data{}, Info{}, t.suspect(err)
	}
	if err := tab.read(); err != nil {
		return mgdl.Data{}, Info{}, err
	}
	return tab.decide(o)
}

// A table is what ReadCSV holds of a file.
type table struct {
	*reader
	columns  []*column // all of the file
	features []int     // positions in columns
	targets  []int
	cells    *packer // a value for each column
	faults   faults
	notes    []string
}

// choose checks the header and finds features and targets in it.
func (t *table) choose(o Options) error {
	if t.numericHeader() {
		return t.numericHeaderFault()
	}
	if _, err := t.find(o.Drop, "to leave out"); err != nil {
		return err
	}
	dropped := func(i int) bool { return slices.Contains(o.Drop, t.header[i]) }
	at := map[string]int{}
	unnamed := 0
	for i, h := range t.header {
		c := newColumn(h, i+1)
		c.skip, c.rows = dropped(i), t.rows
		t.columns = append(t.columns, c)
		if c.skip {
			continue
		}
		if h == "" {
			c.skip = true
			unnamed++
			t.notes = append(t.notes, fmt.Sprintf("column %d has no name and is left out; row numbers?", i+1))
			continue
		}
		if j, ok := at[h]; ok {
			return t.fault(t.line, fmt.Sprintf("columns %d and %d are both named %s", j+1, i+1, quote(h)), "give each column its own name")
		}
		at[h] = i
	}
	if unnamed == len(t.header) {
		return t.fault(t.line, "the columns have no names", "put a line such as "+exampleHeader(len(t.header), t.comma())+" first")
	}

	var err error
	if t.targets, err = t.find(o.Target, "for the target"); err != nil {
		return err
	}
	if len(o.Target) == 0 {
		last := len(t.columns) - 1
		for last >= 0 && dropped(last) {
			last--
		}
		if last < 0 {
			return t.fault(t.line, "no column is left", "")
		}
		if t.header[last] == "" {
			return t.fault(t.line, "the last column, which is the target by default, has no name", "name the target: --target COLUMN")
		}
		t.targets = []int{last}
	}
	for i, j := range t.targets {
		if dropped(j) {
			return t.fault(t.line, fmt.Sprintf("column %s is the target and cannot be left out", quote(t.header[j])), "")
		}
		if slices.Contains(t.targets[:i], j) {
			return t.fault(t.line, fmt.Sprintf("column %s is named as a target twice", quote(t.header[j])), "")
		}
	}
	if _, err := t.find(o.Category, "to read as a category"); err != nil {
		return err
	}
	for i, c := range t.columns {
		if !c.skip && !slices.Contains(t.targets, i) {
			t.features = append(t.features, i)
		}
	}
	if len(t.features) == 0 {
		msg, hint := "no column is left beside the target", ""
		if len(t.header) == 1 {
			msg = fmt.Sprintf("the only column is %s; a table has a target and at least one feature", quote(t.header[0]))
			hint = "if fields are separated otherwise: --sep CHARACTER"
		}
		return t.fault(t.line, msg, hint)
	}
	return nil
}

// find returns the positions of the columns with the names given.
func (t *table) find(names []string, what string) ([]int, error) {
	var at []int
	for _, name := range names {
		i := slices.Index(t.header, name)
		if i < 0 || name == "" {
			return nil, unknownColumn(t.name, name, fmt.Sprintf("no column named %s %s", quote(name), what), t.header)
		}
		at = append(at, i)
	}
	return at, nil
}

// read reads all rows. Rows that cannot be used become faults.
func (t *table) read() error {
	t.cells = newPacker(len(t.columns))
	line := t.fieldLine
	for {
		fields, bad, err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return t.ended(err)
		}
		if bad != nil {
			if len(t.faults.list) < maxShown {
				t.faults.list = append(t.faults.list, bad)
			}
			t.faults.n++
			continue
		}
		row := t.cells.add()
		for i, c := range t.columns {
			if c.skip {
				row[i] = 0
				continue
			}
			t.store(row, i, fields[i], line)
		}
	}
	switch {
	case t.cells.rows > 0:
		return nil
	case t.faults.n > 0:
		return t.faults.err()
	}
	return t.noRows()
}

// store sets row[i] to what stands for a cell of column i.
func (t *table) store(row []float64, i int, s []byte, line func(int) int) {
	c := t.columns[i]
	v, retype := c.add(s, line)
	row[i] = v
	if retype {
		t.cells.replace(i, func(v float64) float64 {
			if v == v {
				v = c.levels[int(v)].value
			}
			return v
		})
		c.close()
	}
}

// ended returns the error that ended the reading, behind the faults found until then.
func (t *table) ended(err error) error {
	if e, ok := err.(*Error); ok && t.faults.n > 0 {
		t.faults.add(e)
		return t.faults.err()
	}
	return err
}

// decide settles the kinds of the columns and returns the table's data.
func (t *table) decide(o Options) (mgdl.Data, Info, error) {
	d := mgdl.Data{Rows: t.cells.rows}
	for _, i := range t.features {
		c := t.columns[i]
		d.Schema.Features = append(d.Schema.Features,
			c.decideFeature(&t.faults, &t.notes, t.name, slices.Contains(o.Category, c.name)))
	}
	t.decideTargets(&d.Schema, o)
	if err := t.faults.err(); err != nil {
		return mgdl.Data{}, Info{}, err
	}

	all := t.cells.finish()
	t.cells = nil
	raw := func(i int) []float64 { return t.columns[i].raw }
	d.Y = all.pick(t.targets, raw).flat()
	x := all.pick(t.features, raw)
	t.checkTargets(&d, o)
	info := t.describe(d.Schema, x)
	if o.Packed {
		d.Source = x
	} else {
		d.X = x.flat()
	}
	if len(info.Dropped) == len(t.features) {
		t.faults.add(t.fault(0, "every feature is the same in every row", "there is nothing to learn from"))
	}
	if err := t.faults.err(); err != nil {
		return mgdl.Data{}, Info{}, err
	}
	return d, info, nil
}

// checkTargets looks at the values of the targets.
func (t *table) checkTargets(d *mgdl.Data, o Options) {
	for j, i := range t.targets {
		c := t.columns[i]
		lo, hi := extent(d.Y, j, len(t.targets))
		if lo == hi {
			t.faults.add(c.fault(t.name, 0, "the target is the same in every row", "name another target: --target COLUMN"))
		}
		t.checkSpan(c, lo, hi)
		if d.Schema.Task == mgdl.Regression && len(t.targets) == 1 && o.Task != "regress" {
			t.noteClasses(d.Y, c.name)
		}
	}
}

// checkSpan reports a column whose mean and deviation float64 cannot hold.
func (t *table) checkSpan(c *column, lo, hi float64) {
	if math.IsInf(hi-lo, 0) {
		t.faults.add(c.fault(t.name, 0, fmt.Sprintf("the numbers reach from %g to %g, too far apart to calculate with", lo, hi),
			"is such a number a mark for an unknown value? leave the cell empty"))
	}
}

// describe counts what the features hold.
func (t *table) describe(s mgdl.Schema, x *Packed) Info {
	info := Info{Rows: x.rows, MissingByColumn: map[string]int{}}
	for j, i := range t.features {
		c, col := t.columns[i], s.Features[j]
		missing := c.tally[empty]
		if col.Kind == mgdl.Number || c.texts() == 0 {
			missing += c.tally[mark]
		}
		if missing > 0 {
			info.MissingCells += missing
			info.MissingByColumn[col.Name] = missing
		}
		constant := len(col.Levels) == 1
		if col.Kind == mgdl.Category {
			info.Categories++
		} else {
			info.Numbers++
			lo, hi := x.columns[j].extent()
			t.checkSpan(c, lo, hi)
			constant = lo == hi
		}
		if constant {
			info.Dropped = append(info.Dropped, col.Name)
		}
	}
	info.Notes = t.notes
	return info
}

// decideTargets settles the task and the kinds of the targets.
func (t *table) decideTargets(s *mgdl.Schema, o Options) {
	task := o.Task
	if task == "" || task == "auto" {
		task = "regress"
		for _, i := range t.targets {
			c := t.columns[i]
			if c.values() > 0 && !c.numeric() || slices.Contains(o.Category, c.name) {
				task = "classify"
			}
		}
	}
	if task == "classify" && len(t.targets) > 1 {
		e := t.fault(0, fmt.Sprintf("classification takes one target, not %d", len(t.targets)), "train a model for each target")
		for _, i := range t.targets {
			if c := t.columns[i]; !c.numeric() && c.values() > 0 {
				e.Column, e.ColumnNumber = c.name, c.number
				e.Msg = "the target is not numeric, and classification takes one target"
				break
			}
		}
		t.faults.add(e)
		return
	}
	missing := func(s string) string {
		if s == "" {
			return "the target is missing"
		}
		return fmt.Sprintf("the target is missing (%s)", quote(s))
	}
	const hint = "remove the rows whose target is unknown"
	for _, i := range t.targets {
		c := t.columns[i]
		if c.values() == 0 {
			t.faults.add(c.fault(t.name, 0, "no row has a value for the target", "name another target: --target COLUMN"))
			s.Targets = append(s.Targets, mgdl.Column{Name: c.name})
			continue
		}
		c.report(&t.faults, t.name, empty, missing, hint)
		if c.texts() == 0 || task == "regress" {
			c.report(&t.faults, t.name, mark, missing, hint)
		}
		if task == "classify" {
			s.Task = mgdl.Classification
			s.Targets = append(s.Targets, c.decideCategory(&t.faults, t.name, "to predict a number: --task regress; to predict another column: --target COLUMN"))
			if n := len(s.Targets[0].Levels); n > 100 {
				t.notes = append(t.notes, fmt.Sprintf("the target %s has %s classes", quote(c.name), group(n)))
			}
			continue
		}
		hint := "correct the cell, or remove the row"
		if !c.numeric() {
			hint = "to predict a class: --task classify"
		}
		c.reportNotNumbers(&t.faults, t.name, hint)
		s.Targets = append(s.Targets, c.decideNumber())
	}
}

// noteClasses notes that a numeric target looks like a number of classes.
func (t *table) noteClasses(y []float64, name string) {
	const most = 20 // classes that come as whole numbers
	var seen []float64
	for _, v := range y {
		if v != math.Trunc(v) {
			return
		}
		if !slices.Contains(seen, v) {
			if len(seen) == most {
				return
			}
			seen = append(seen, v)
		}
	}
	if len(y) > 2*len(seen) {
		t.notes = append(t.notes, fmt.Sprintf("the target %s has only %d different values, all whole: if they are classes, --task classify",
			quote(name), len(seen)))
	}
}

// extent returns the smallest and largest number of column j.
func extent(x []float64, j, width int) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for i := j; i < len(x); i += width {
		v := x[i] // neither below nor above anything if it is NaN
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
	}
	return lo, hi
}
