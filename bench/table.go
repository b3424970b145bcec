package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// document is the machine-readable form of a run.
type document struct {
	Machine machine `json:"machine"`
	Limits  limits  `json:"limits"`
	outcome
}

func (d document) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(d)
}

func (d document) text(w io.Writer) {
	d.Machine.print(w)
	fmt.Fprintf(w, "\nLimits of one core: clock %.2f GHz by a chain of additions\n\n", d.Limits.GHz)
	d.Limits.print(w)
	fmt.Fprintf(w, "\n%d rounds, samples of %.3g ms; %% peak: of the FMA peak of the same instruction set (float64 for Cross: half of it),\nfastest of fastest and (median of median); limit: the least time the machine allows, and %% of it reached by the fastest\n\n",
		d.Rounds, float64(d.WindowNs)/1e6)
	printResults(w, d.Results)
	for _, l := range d.LeftOut {
		fmt.Fprintf(w, "left out, too slow for the time allowed: %s\n", l)
	}
	fmt.Fprintln(w)
	for _, c := range d.Calibrations {
		if len(c.GFLOPS) > 0 {
			fmt.Fprintf(w, "peak in the rounds, %s: %s GFLOP/s\n", c.Unit, span(c.GFLOPS))
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

// span shows the least, the median and the greatest of x.
func span(x []float64) string {
	lo, hi := x[0], x[0]
	for _, v := range x {
		lo, hi = min(lo, v), max(hi, v)
	}
	return fmt.Sprintf("%.4g to %.4g, median %.4g", lo, hi, median(x))
}

func (l limits) print(w io.Writer) {
	var head strings.Builder
	for _, b := range l.Units[0].Levels {
		fmt.Fprintf(&head, " %16s", b.Level+" "+bytesText(b.Bytes))
	}
	fmt.Fprintf(w, "%-8s %5s %8s %10s   read / write GB/s by size of the buffer:\n", "unit", "lanes", "GFLOP/s", "flop/cycle")
	fmt.Fprintf(w, "%-8s %5s %8s %10s %s\n", "", "", "", "", head.String())
	for _, u := range l.Units {
		fmt.Fprintf(w, "%-8s %5d %8s %10.1f ", u.Unit, u.Lanes, number4(u.GFLOPS), u.GFLOPS/l.GHz)
		for _, b := range u.Levels {
			fmt.Fprintf(w, " %16s", number4(b.ReadGBps)+" / "+number4(b.WriteGBps))
		}
		fmt.Fprintln(w)
	}
}

func printResults(w io.Writer, rs []result) {
	const form = "%-10s %-15s %-8s %11s %11s %8s %8s %14s %8s  %s\n"
	line := func(a ...any) { fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf(form, a...), " \n")) }
	line("operation", "shape", "kernel", "ns fastest", "ns median", "GFLOP/s", "GB/s", "% peak", "% limit", "limit")
	for _, r := range rs {
		peak := ""
		if r.GFLOPS > 0 {
			peak = fmt.Sprintf("%.1f (%.1f)", r.PeakPct, r.PeakPctMedian)
		}
		line(r.Op, r.Shape, r.Kernel, number4(r.NsMin), number4(r.NsMedian), number4(r.GFLOPS), number4(r.GBps),
			peak, fmt.Sprintf("%.1f", r.LimitPct), r.Limit)
	}
}

// number4 shows four digits without an exponent, and nothing for nothing.
func number4(x float64) string {
	if x == 0 {
		return ""
	}
	return strconv.FormatFloat(round(x), 'f', -1, 64)
}
