package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A side is one of two machines that are compared.
type side struct {
	name string // of the file, or of this run
	record
}

// A pair is one workload on both.
type pair struct{ a, b row }

// speed returns how many times the work of a b does in a time, by the fastest rounds and
// by the medians. Passes that fill a cache are of different lengths on different machines,
// so it is work that is compared.
func (p pair) speed() (best, median float64) {
	work := func(r row) float64 {
		switch {
		case r.flops > 0:
			return r.flops
		case r.bytes > 0:
			return r.bytes
		}
		return 1
	}
	w := work(p.b) / work(p.a)
	return w * p.a.nsMin / p.b.nsMin, w * p.a.nsMedian / p.b.nsMedian
}

// workload names what a row measures, whatever the size of the cache.
func (r row) workload() string {
	shape := r.shape
	if _, level, ok := strings.Cut(shape, "@"); ok {
		shape = "@" + level
	}
	return r.section + " " + r.op + " " + shape
}

// pairs matches the rows of two records: the first of each workload, which is the best
// implementation of either machine, then those of implementations that both have. It also
// returns the rows of workloads that only one has.
func pairs(a, b record) (both []pair, onlyA, onlyB []row) {
	group := func(r record) (names []string, of map[string][]row) {
		of = map[string][]row{}
		for _, x := range r.rows {
			if len(of[x.workload()]) == 0 {
				names = append(names, x.workload())
			}
			of[x.workload()] = append(of[x.workload()], x)
		}
		return names, of
	}
	names, ofA := group(a)
	namesB, ofB := group(b)
	for _, name := range names {
		as, bs := ofA[name], ofB[name]
		if len(bs) == 0 {
			onlyA = append(onlyA, as...)
			continue
		}
		both = append(both, pair{as[0], bs[0]})
		for i, x := range as {
			j := slices.IndexFunc(bs, func(y row) bool { return y.kernel == x.kernel })
			if j >= 0 && i+j > 0 {
				both = append(both, pair{x, bs[j]})
			}
		}
	}
	for _, name := range namesB {
		if len(ofA[name]) == 0 {
			onlyB = append(onlyB, ofB[name]...)
		}
	}
	return both, onlyA, onlyB
}

// either returns both names of a pair, or one if they are the same.
func either(a, b string) string {
	if a == b {
		return a
	}
	return a + " : " + b
}

// compare prints two records side by side.
func compare(w io.Writer, a, b side) {
	fmt.Fprintf(w, "A  %s\nB  %s\n", a.name, b.name)
	verdict(w, a, b, false)
	fmt.Fprintln(w)
	compareFacts(w, a.record, b.record)
	both, onlyA, onlyB := pairs(a.record, b.record)
	if len(both) > 0 {
		fmt.Fprintf(w, "\nns of a call, fastest and (median); %% peak: of the FMA peak of each machine\n")
	}
	var names []string
	for _, p := range both {
		if !slices.Contains(names, p.a.section) {
			names = append(names, p.a.section)
		}
	}
	for _, name := range names {
		rows := [][]string{{"operation", "shape", "kernel", "A ns", "B ns", "speed B/A", "A % peak", "B % peak", "% peak B/A"}}
		for _, p := range both {
			if p.a.section != name {
				continue
			}
			best, median := p.speed()
			cells := []string{
				p.a.op, either(p.a.shape, p.b.shape), either(p.a.kernel, p.b.kernel),
				withMedian(number4(p.a.nsMin), number4(p.a.nsMedian)),
				withMedian(number4(p.b.nsMin), number4(p.b.nsMedian)),
				withMedian(ratio(best), ratio(median)), "", "", "",
			}
			if p.a.peakPct > 0 && p.b.peakPct > 0 {
				cells[6] = withMedian(fmt.Sprintf("%.1f", p.a.peakPct), fmt.Sprintf("%.1f", p.a.peakPctMedian))
				cells[7] = withMedian(fmt.Sprintf("%.1f", p.b.peakPct), fmt.Sprintf("%.1f", p.b.peakPctMedian))
				cells[8] = withMedian(ratio(p.b.peakPct/p.a.peakPct), ratio(p.b.peakPctMedian/p.a.peakPctMedian))
			}
			rows = append(rows, cells)
		}
		fmt.Fprintf(w, "\n%s\n\n", name)
		printColumns(w, rows, "lllrrrrrr")
	}
	fmt.Fprintln(w)
	for _, only := range []struct {
		name string
		rows []row
	}{{"A", onlyA}, {"B", onlyB}} {
		for _, r := range only.rows {
			fmt.Fprintf(w, "only %s measured %s %s on %s\n", only.name, r.op, r.shape, r.kernel)
		}
	}
	compareBits(w, a.record, b.record)
	verdict(w, a, b, true)
}

// verdict says whether the two may be compared; with reasons if they may not.
func verdict(w io.Writer, a, b side, reasons bool) {
	if !a.disturbed() && !b.disturbed() {
		if reasons {
			fmt.Fprintln(w, "both machines were calm")
		}
		return
	}
	for _, s := range []struct {
		name string
		side
	}{{"A", a}, {"B", b}} {
		switch {
		case !s.disturbed():
		case !reasons:
			fmt.Fprintf(w, "disturbed machine: do not compare: %s was disturbed\n", s.name)
		default:
			for _, reason := range s.values(factReason) {
				fmt.Fprintf(w, "disturbed machine: do not compare: %s: %s\n", s.name, reason)
			}
		}
	}
}

// compareBits says whether the small training ended with the same bits everywhere.
func compareBits(w io.Writer, a, b record) {
	bits := func(r record) (names, hashes []string) {
		for _, u := range r.units() {
			if h := r.value(u + " " + factBits); h != "" {
				names, hashes = append(names, u), append(hashes, h)
			}
		}
		return names, hashes
	}
	namesA, hashesA := bits(a)
	namesB, hashesB := bits(b)
	all := slices.Concat(hashesA, hashesB)
	switch slices.Sort(all); {
	case len(hashesA) == 0 || len(hashesB) == 0:
	case len(slices.Compact(all)) == 1:
		fmt.Fprintf(w, "the same bits of a small training: A on %s, B on %s\n", strings.Join(namesA, ", "), strings.Join(namesB, ", "))
	default:
		for _, s := range []struct {
			name          string
			names, hashes []string
		}{{"A", namesA, hashesA}, {"B", namesB, hashesB}} {
			for i, h := range s.hashes {
				fmt.Fprintf(w, "DIFFERENT BITS of a small training: %s on %s %s\n", s.name, s.names[i], h)
			}
		}
		fmt.Fprintln(w, "where both run the same version of Multigrade, that is a bug worth reporting")
	}
}

// compareFacts prints what the machines are and can do: side by side where there is room,
// with the ratio of what is measured.
func compareFacts(w io.Writer, a, b record) {
	measured := [][]string{{"limits of one core", "A", "B", "B/A"}}
	clock := "clock GHz"
	measured = append(measured, measurement(clock, a.value(clock), b.value(clock)))
	ua, ub := a.units(), b.units()
	compareUnits := func(x, y string) {
		for _, f := range a.facts {
			if key, ok := strings.CutPrefix(f.key, x+" "); ok && key != factBits {
				if v := b.value(y + " " + key); v != "" {
					measured = append(measured, measurement(either(x, y)+" "+key, f.value, v))
				}
			}
		}
	}
	if len(ua) > 0 && len(ub) > 0 {
		compareUnits(ua[0], ub[0])
		for i, x := range ua {
			if j := slices.Index(ub, x); j >= 0 && i+j > 0 {
				compareUnits(x, x)
			}
		}
	}

	isMeasured := func(key string) bool {
		unit, _, ok := strings.Cut(key, " ")
		return key == clock || ok && (slices.Contains(ua, unit) || slices.Contains(ub, unit))
	}
	var keys []string
	for _, f := range slices.Concat(a.facts, b.facts) {
		if f.key != factReason && f.key != factUnits && !isMeasured(f.key) && !slices.Contains(keys, f.key) {
			keys = append(keys, f.key)
		}
	}
	const room = 44
	for _, key := range keys {
		x, y := a.value(key), b.value(key)
		switch {
		case x == y:
			fmt.Fprintf(w, "%-13s A B  %s\n", key, x)
		case max(utf8.RuneCountInString(x), utf8.RuneCountInString(y)) <= room:
			fmt.Fprintf(w, "%-13s A    %-*s  B  %s\n", key, room, cmp.Or(x, "unknown"), cmp.Or(y, "unknown"))
		default:
			fmt.Fprintf(w, "%-13s A    %s\n%-13s   B  %s\n", key, cmp.Or(x, "unknown"), "", cmp.Or(y, "unknown"))
		}
	}
	fmt.Fprintln(w)
	printColumns(w, measured, "lrrr")
}

func measurement(name, a, b string) []string {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	r := ""
	if errA == nil && errB == nil && x > 0 && y > 0 {
		r = ratio(y / x)
	}
	return []string{name, a, b, r}
}

func withMedian(best, median string) string { return fmt.Sprintf("%s (%s)", best, median) }

func ratio(x float64) string { return fmt.Sprintf("%.3g", x) }

// filter keeps the rows of sections and workloads.
func (r record) filter(sections []string, workloads *regexp.Regexp) record {
	r.rows = slices.DeleteFunc(slices.Clone(r.rows), func(x row) bool {
		return !slices.Contains(sections, x.section) || !workloads.MatchString(x.op+"/"+x.shape)
	})
	return r
}
