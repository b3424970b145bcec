package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A record is what a run leaves for comparison with another machine's. As a file it is
// text that survives being mailed and looked at:
//
//	multigrade bench results 1
//	cpu: …                            facts, in any number and order
//	state: calm                       or disturbed, with reasons
//	avx512 peak GFLOP/s: 117.9        a unit's facts begin with its name
//	section<TAB>operation<TAB>…       names of columns
//	kernels<TAB>MatMul<TAB>…          a line for each workload
//	end 0123456789abcdef              of the SHA-256 of all lines before
//
// Readers pass over facts they do not know. A change of the columns is a new version.
type record struct {
	facts []fact
	rows  []row
}

const (
	shareTitle   = "multigrade bench results"
	shareVersion = 1
)

type fact struct{ key, value string }

// Keys that readers look for.
const (
	factState  = "state"
	factReason = "reason"
	factUnits  = "units"
	factBits   = "bits"
	calm       = "calm"
)

// A row is one workload on one implementation.
type row struct {
	section, op, shape, kernel string
	numbers
}

// numbers are those of a row, 0 for none: the work of a call, ns of a call, percent.
type numbers struct {
	flops, bytes, samples            float64
	nsMin, nsMedian                  float64
	peakPct, peakPctMedian, limitPct float64
}

// columns are the names of a row's cells; numeric gives the addresses of the last of them.
var columns = []string{
	"section", "operation", "shape", "kernel",
	"flops", "bytes", "samples", "ns_min", "ns_median", "peak_pct", "peak_pct_median", "limit_pct",
}

func (n *numbers) numeric() []*float64 {
	return []*float64{&n.flops, &n.bytes, &n.samples, &n.nsMin, &n.nsMedian, &n.peakPct, &n.peakPctMedian, &n.limitPct}
}

// facts returns the values of a key.
func (r record) values(key string) []string {
	var vs []string
	for _, f := range r.facts {
		if f.key == key {
			vs = append(vs, f.value)
		}
	}
	return vs
}

// value returns the first value of a key, or nothing.
func (r record) value(key string) string { return cmp.Or(r.values(key)...) }

// units returns the names of the units whose facts a record has, widest first.
func (r record) units() []string { return strings.Fields(r.value(factUnits)) }

func (r record) disturbed() bool { return r.value(factState) != calm }

// record keeps what others may know: not the name of the machine.
func (d document) record() record {
	var r record
	add := func(key, value string) {
		// One line each, whatever a BIOS calls its processor.
		value = strings.Join(strings.FieldsFunc(value, func(c rune) bool { return !unicode.IsPrint(c) || c == ' ' }), " ")
		if value != "" {
			r.facts = append(r.facts, fact{key, value})
		}
	}
	m := d.Machine
	add("time", m.Time.Format(time.RFC3339))
	add("cpu", m.Name())
	add("logical cpus", strconv.Itoa(m.CPUs))
	add("virtual", m.Hypervisor)
	add("features", strings.Join(m.Features, " "))
	for _, c := range m.Caches {
		add("cache "+c.Level, c.String())
	}
	add("system", fmt.Sprintf("%s/%s %s", m.GOOS, m.GOARCH, m.Level))
	add("go", m.Go)
	add("tags", m.Tags)
	add("commit", m.Revision())
	add("kernel", fmt.Sprintf("%s, of %s", m.Kernel.Name, strings.Join(m.Kernel.Available, ", ")))
	add("rounds", strconv.Itoa(d.Rounds))
	add("sample ms", number4(float64(d.WindowNs)/1e6))
	add(factState, calm)
	if len(d.Disturbed) > 0 {
		r.facts[len(r.facts)-1].value = "disturbed"
	}
	for _, reason := range d.Disturbed {
		add(factReason, reason)
	}
	add("clock GHz", number4(d.Limits.GHz))

	var names []string
	for _, u := range d.Limits.Units {
		names = append(names, u.Unit)
	}
	add(factUnits, strings.Join(names, " "))
	for _, u := range d.Limits.Units {
		of := func(key string, x float64) { add(u.Unit+" "+key, number4(x)) }
		of("peak GFLOP/s", u.GFLOPS)
		for workers := 2; workers <= mostWorkers; workers++ {
			of(fmt.Sprintf("peak GFLOP/s, %d workers", workers), d.peak(u.Unit, workers))
		}
		for _, b := range u.Levels {
			of(b.Level+" read GB/s", b.ReadGBps)
			of(b.Level+" write GB/s", b.WriteGBps)
		}
		add(u.Unit+" "+factBits, d.Bits[u.Unit])
	}
	for _, x := range d.Results {
		r.rows = append(r.rows, row{x.Section, x.Op, x.Shape, x.Kernel, numbers{
			x.Flops, x.Bytes, float64(x.Samples), x.NsMin, x.NsMedian, x.PeakPct, x.PeakPctMedian, x.LimitPct,
		}})
	}
	return r
}

// peak returns the best peak of so many workers in the rounds, 0 if there was none.
func (o outcome) peak(unit string, workers int) float64 {
	best := 0.0
	for _, c := range o.Calibrations {
		if c.Unit == unit && c.Workers == workers {
			best = max(best, slices.Max(c.GFLOPS))
		}
	}
	return best
}

// text is the file.
func (r record) text() string {
	var b strings.Builder
	fmt.Fprintln(&b, shareTitle, shareVersion)
	for _, f := range r.facts {
		fmt.Fprintf(&b, "%s: %s\n", f.key, f.value)
	}
	fmt.Fprintln(&b, strings.Join(columns, "\t"))
	for _, x := range r.rows {
		cells := []string{x.section, x.op, x.shape, x.kernel}
		for _, v := range x.numeric() {
			cells = append(cells, strconv.FormatFloat(*v, 'f', -1, 64))
		}
		fmt.Fprintln(&b, strings.Join(cells, "\t"))
	}
	fmt.Fprintf(&b, "%s%s\n", ending, checksum(b.String()))
	return b.String()
}

const ending = "end "

func checksum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

var errNotShared = errors.New("not a file that bench --share wrote")

// parseRecord reads what text wrote. Line ends may have become CRLF on the way.
func parseRecord(text string) (record, error) {
	var r record
	text = strings.ReplaceAll(text, "\r\n", "\n")
	title, _, _ := strings.Cut(text, "\n")
	version, ok := strings.CutPrefix(title, shareTitle+" ")
	if !ok {
		return r, errNotShared
	}
	switch v, err := strconv.ParseUint(version, 10, 32); {
	case err != nil || v == 0:
		return r, fmt.Errorf("damaged: line 1: %q is not a version", version)
	case v > shareVersion:
		return r, fmt.Errorf("written by a newer bench: format %d, this one reads %d", v, shareVersion)
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	n := len(lines) - 1 // the end
	sum, ok := strings.CutPrefix(lines[n], ending)
	switch body := strings.Join(lines[:n], "\n") + "\n"; {
	case !ok:
		return r, errors.New("damaged: cut short, there is no line that begins with \"end\"")
	case sum != checksum(body):
		return r, errors.New("damaged: it was changed after it was written, its checksum differs")
	}
	bad := func(i int, format string, a ...any) (record, error) {
		return record{}, fmt.Errorf("damaged: line %d: %s", i+1, fmt.Sprintf(format, a...))
	}
	head := strings.Join(columns, "\t")
	i := 1
	for ; i < n && lines[i] != head; i++ {
		key, value, ok := strings.Cut(lines[i], ": ")
		if !ok || key == "" || value == "" || !printable(lines[i]) {
			return bad(i, "%q is not \"key: value\"", lines[i])
		}
		r.facts = append(r.facts, fact{key, value})
	}
	if i == n {
		return bad(n, "no line with the names of columns before")
	}
	if r.value(factState) == "" {
		return bad(i, "no %q before", factState)
	}
	for i++; i < n; i++ {
		cells := strings.Split(lines[i], "\t")
		if len(cells) != len(columns) {
			return bad(i, "%d columns, want %d", len(cells), len(columns))
		}
		x := row{section: cells[0], op: cells[1], shape: cells[2], kernel: cells[3]}
		for c, name := range cells[:4] {
			if name == "" || !printable(name) {
				return bad(i, "%q is no %s", name, columns[c])
			}
		}
		for c, v := range x.numeric() {
			var err error
			if *v, err = strconv.ParseFloat(cells[4+c], 64); err != nil || !(*v >= 0) || math.IsInf(*v, 1) {
				return bad(i, "%s %q is not a positive number", columns[4+c], cells[4+c])
			}
		}
		if x.nsMin == 0 || x.nsMedian < x.nsMin {
			return bad(i, "ns_min %v and ns_median %v are impossible", x.nsMin, x.nsMedian)
		}
		r.rows = append(r.rows, x)
	}
	return r, nil
}

// printable tells whether a terminal shows s as it is.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) })
}

func readRecord(path string) (record, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return record{}, err
	}
	r, err := parseRecord(string(b))
	if err != nil {
		return record{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// writeRecord replaces the file at path, or leaves what is there.
func writeRecord(path string, r record) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".bench-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after a rename there is nothing to remove
	_, err = f.WriteString(r.text())
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
