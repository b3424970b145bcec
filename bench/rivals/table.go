//go:build !riscv64

package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/multigrade/multigrade/bench/internal/machine"
	"github.com/multigrade/multigrade/bench/internal/probe"
)

// A table is what is printed of races.
type table struct {
	races  []*race
	limits machine.Limits
	kernel string // ours
}

// print writes a line for each race: ours, the best in C, the best in Go, and the least time
// that the machine allows.
func (t table) print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "operation\tshape\tours ns\tbest C\tns\tC / ours\tbest Go\tns\tGo / ours\tfloor ns\t% of floor\tfloor by")
	for _, r := range t.races {
		us := r.entries[0]
		fmt.Fprintf(tw, "%s\t%s\t%s", r.op, r.shape, times(us.ns))
		for _, c := range []camp{inC, inGo} {
			e := r.best(c, fastest)
			if e == nil {
				fmt.Fprint(tw, "\t-\t-\t-")
				continue
			}
			typical := r.best(c, probe.Median) // not always the same one
			fmt.Fprintf(tw, "\t%s\t%s\t%.2f (%.2f)", e.name, times(e.ns), fastest(e.ns)/fastest(us.ns), probe.Median(typical.ns)/probe.Median(us.ns))
		}
		by, ns := t.floor(r)
		fmt.Fprintf(tw, "\t%s\t%.1f\t%s\n", digits(ns), 100*ns/fastest(us.ns), by)
	}
	return tw.Flush()
}

// printAll writes a line for everybody in each race.
func (t table) printAll(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "operation\tshape\twho\tns\t/ ours\t% of floor")
	for _, r := range t.races {
		us := r.entries[0]
		_, ns := t.floor(r)
		for _, e := range r.entries {
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%.2f (%.2f)\t%.1f\n", r.op, r.shape, e.name, times(e.ns),
				fastest(e.ns)/fastest(us.ns), probe.Median(e.ns)/probe.Median(us.ns), 100*ns/fastest(e.ns))
		}
	}
	return tw.Flush()
}

// floor returns the least time of a call, by the peak of all rounds, and what bounds it.
func (t table) floor(r *race) (by string, ns float64) {
	peak := 0.0
	for _, x := range t.races {
		peak = max(peak, x.flops/fastest(x.peak.Ns))
	}
	return t.limits.Floor(r.work, peak, t.kernel)
}

// unsteady counts races in which our median is more than 7 % above our fastest.
func (t table) unsteady() int {
	n := 0
	for _, r := range t.races {
		if us := r.entries[0].ns; probe.Median(us) > fastest(us)*1.07 {
			n++
		}
	}
	return n
}

// times shows the fastest and the median of ns.
func times(ns []float64) string {
	return fmt.Sprintf("%s (%s)", digits(fastest(ns)), digits(probe.Median(ns)))
}

// digits shows four digits without an exponent.
func digits(x float64) string { return strconv.FormatFloat(probe.Round(x), 'f', -1, 64) }
