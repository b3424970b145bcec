package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/multigrade/multigrade/bench/internal/machine"
	"github.com/multigrade/multigrade/bench/internal/probe"
	"github.com/multigrade/multigrade/bench/internal/shapes"
)

// document is the machine-readable form of a run.
type document struct {
	Machine machine.Facts  `json:"machine"`
	Limits  machine.Limits `json:"limits"`
	// Hash of a small training on each implementation; all machines give the same.
	Bits map[string]string `json:"bits"`
	outcome
}

func (d document) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(d)
}

func (d document) text(w io.Writer) {
	d.Machine.Print(w)
	fmt.Fprintf(w, "\nLimits of one core: clock %.2f GHz by a chain of additions\n\n", d.Limits.GHz)
	printLimits(w, d.Limits)
	fmt.Fprintf(w, "\n%d rounds, samples of %.3g ms; %% peak: of the FMA peak of the same instruction set, as many workers and samples\nabout as long (float64 for Cross: half of it), fastest of fastest and (median of median); limit: the least time the\nmachine allows, and %% of it reached by the fastest\n",
		d.Rounds, float64(d.WindowNs)/1e6)
	printResults(w, d.Results)
	if len(d.LeftOut) > 0 {
		fmt.Fprintln(w)
	}
	for _, l := range d.LeftOut {
		fmt.Fprintf(w, "left out, too slow for the time allowed: %s\n", l)
	}
	fmt.Fprintln(w)
	for _, k := range slices.Sorted(maps.Keys(d.Bits)) {
		fmt.Fprintf(w, "bits of a small training, %s: %s\n", k, d.Bits[k])
	}
	for _, u := range d.Limits.Units {
		one, two := d.peak(u.Unit, 1), d.peak(u.Unit, 2)
		if two > 0 && two < sharedCore*one {
			fmt.Fprintf(w, "the %s peak of 2 workers is %.2f times that of one: they share a core, or another program had one\n", u.Unit, two/one)
		}
	}
	for _, c := range d.Calibrations {
		if len(c.GFLOPS) > 0 {
			fmt.Fprintf(w, "peak in the rounds, %s: %s GFLOP/s\n", c.name(), span(c.GFLOPS))
		} else {
			fmt.Fprintf(w, "clock in the rounds: %s GHz\n", span(c.GHz))
		}
	}
	if len(d.Disturbed) == 0 {
		fmt.Fprintln(w, "calm machine")
		return
	}
	for _, reason := range d.Disturbed {
		fmt.Fprintf(w, "disturbed machine: do not compare: %s\n", reason)
	}
}

// sharedCore is how many times the peak of one worker two should reach.
const sharedCore = 1.5

// span shows the least, the median and the greatest of x.
func span(x []float64) string {
	lo, hi := x[0], x[0]
	for _, v := range x {
		lo, hi = min(lo, v), max(hi, v)
	}
	return fmt.Sprintf("%.4g to %.4g, median %.4g", lo, hi, probe.Median(x))
}

func printLimits(w io.Writer, l machine.Limits) {
	var head strings.Builder
	for _, b := range l.Units[0].Levels {
		fmt.Fprintf(&head, " %16s", b.Level+" "+machine.BytesText(b.Bytes))
	}
	fmt.Fprintf(w, "%-8s %5s %8s %10s %11s   read / write GB/s by size of the buffer:\n", "unit", "lanes", "GFLOP/s", "flop/cycle", "10⁹ √ and ÷")
	fmt.Fprintf(w, "%-8s %5s %8s %10s %11s %s\n", "", "", "", "", "", head.String())
	for _, u := range l.Units {
		fmt.Fprintf(w, "%-8s %5d %8s %10.1f %11s ", u.Unit, u.Lanes, number4(u.GFLOPS), u.GFLOPS/l.GHz, number4(u.Groots))
		for _, b := range u.Levels {
			fmt.Fprintf(w, " %16s", number4(b.ReadGBps)+" / "+number4(b.WriteGBps))
		}
		fmt.Fprintln(w)
	}
}

// headings of the sections, and what their samples are.
var headings = map[string]string{
	kernels:    "kernels: products of layers and their gradients",
	networks:   "networks: predictions for one row, and for many in chunks of " + strconv.Itoa(shapes.ChunkRows),
	training:   "training: one step, forward, mean squared error, backward, Adam; network/rows/workers",
	reductions: "reductions: passes over vectors that just fit a cache",
}

func printResults(w io.Writer, rs []result) {
	for _, section := range sections {
		rows := [][]string{{"operation", "shape", "kernel", "ns fastest", "ns median", "samples/s", "GFLOP/s", "GB/s", "% peak", "% limit", "limit"}}
		for _, r := range rs {
			if r.Section != section {
				continue
			}
			peak := ""
			if r.GFLOPS > 0 {
				peak = fmt.Sprintf("%.1f (%.1f)", r.PeakPct, r.PeakPctMedian)
			}
			rows = append(rows, []string{
				r.Op, r.Shape, r.Kernel, number4(r.NsMin), number4(r.NsMedian), number4(r.SamplesPer),
				number4(r.GFLOPS), number4(r.GBps), peak, fmt.Sprintf("%.1f", r.LimitPct), r.Limit,
			})
		}
		if len(rows) > 1 {
			fmt.Fprintf(w, "\n%s\n\n", headings[section])
			printColumns(w, rows, "lllrrrrrrrl")
		}
	}
}

// printColumns prints rows, the first of which are headings. A column that is aligned 'l'
// begins at the left; columns without a value are left out.
func printColumns(w io.Writer, rows [][]string, align string) {
	widths := make([]int, len(align))
	for c := range widths {
		filled := false
		for i, r := range rows {
			widths[c] = max(widths[c], utf8.RuneCountInString(r[c]))
			filled = filled || i > 0 && r[c] != ""
		}
		if !filled {
			widths[c] = 0
		}
		if align[c] == 'l' {
			widths[c] = -widths[c]
		}
	}
	for _, r := range rows {
		var line strings.Builder
		for c, cell := range r {
			if widths[c] != 0 {
				fmt.Fprintf(&line, "%*s  ", widths[c], cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// number4 shows four digits without an exponent, and nothing for nothing.
func number4(x float64) string {
	if x == 0 {
		return ""
	}
	return strconv.FormatFloat(probe.Round(x), 'f', -1, 64)
}
