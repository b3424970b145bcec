package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/bench/internal/machine"
)

// sample is a run that nobody made.
func sample() document {
	return document{
		Machine: machine.Facts{
			Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), CPU: "Some  CPU\n\x1b[31m", Family: 1, CPUs: 2,
			Features: []string{"AVX2", "FMA"}, Caches: []machine.Cache{{Level: "L1", Bytes: 32 << 10, From: "cpuid", Note: "a note"}},
			GOOS: "linux", GOARCH: "amd64", Go: "go1.26", Kernel: machine.Selection{Name: "avx2", Available: []string{"avx2", "generic"}},
		},
		Limits: machine.Limits{GHz: 3, Units: []machine.UnitLimits{
			{Unit: "avx2", GFLOPS: 96, Levels: []machine.Bandwidth{{Level: "L1", ReadGBps: 200, WriteGBps: 100}}}, {Unit: "generic", GFLOPS: 12},
		}},
		Bits: map[string]string{"avx2": "b175"},
		outcome: outcome{
			Rounds: 7, WindowNs: 1e6,
			Calibrations: []calibration{{Unit: "avx2", Workers: 2, GFLOPS: []float64{180, 190, 185}}},
			Results: []result{
				{Section: kernels, Op: "MatMul", Shape: "64x64x64", Kernel: "avx2", Flops: 524288, Bytes: 49408, NsMin: 6000, NsMedian: 6100, PeakPct: 90, PeakPctMedian: 89.5, LimitPct: 90},
				{Section: reductions, Op: "Sums", Shape: "4096@L1", Kernel: "avx2", Bytes: 16384, NsMin: 500, NsMedian: 512.5, LimitPct: 20},
			},
		},
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for _, disturbed := range [][]string{nil, {"a neighbour: loud", "another"}} {
		d := sample()
		d.Disturbed = disturbed
		r := d.record()
		got, err := parseRecord(r.text())
		require.NoError(t, err)
		require.True(t, reflect.DeepEqual(r, got), "wrote %+v\nread %+v", r, got)
		require.Equal(t, disturbed, got.values(factReason))
		require.Equal(t, len(disturbed) > 0, got.disturbed())

		got, err = parseRecord(strings.ReplaceAll(r.text(), "\n", "\r\n") + "\r\n\r\n")
		require.NoError(t, err, "line ends of a mail")
		require.True(t, reflect.DeepEqual(r, got))
	}
	r := sample().record()
	require.Equal(t, "Some CPU [31m (family 1 model 0 stepping 0)", r.value("cpu"))
	require.Equal(t, "190", r.value("avx2 peak GFLOP/s, 2 workers"))
}

// Nobody's machine is named in what is passed on.
func TestRecordIsAnonymous(t *testing.T) {
	known := []string{
		"time", "cpu", "logical cpus", "virtual", "features", "cache L1", "cache L2", "cache L3", "system", "go", "tags", "commit",
		"kernel", "rounds", "sample ms", "state", "reason", "clock GHz", "units",
	}
	d := sample()
	d.Machine = machine.Detect()
	for _, f := range d.record().facts {
		if !slices.Contains(known, f.key) && !strings.HasPrefix(f.key, "avx2 ") && !strings.HasPrefix(f.key, "generic ") {
			t.Errorf("fact %q: %q", f.key, f.value)
		}
	}
}

// signed puts an end under what is not what text would write.
func signed(body string) string { return body + ending + checksum(body) + "\n" }

func TestRecordErrors(t *testing.T) {
	good := sample().record().text()
	body := good[:strings.LastIndex(good, ending)]
	head := shareTitle + " 1\nstate: calm\n"
	names := strings.Join(columns, "\t") + "\n"
	const cells = "kernels\tMatMul\t1x1x1\tavx2\t2\t0\t0\t5\t6\t0\t0\t0\n"
	_, err := parseRecord(signed(head + names + cells))
	require.NoError(t, err)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "not a file that bench --share wrote"},
		{"another", "{}", "not a file that bench --share wrote"},
		{"newer", strings.Replace(good, " 1\n", " 2\n", 1), "newer bench: format 2, this one reads 1"},
		{"version", strings.Replace(good, " 1\n", " one\n", 1), `line 1: "one" is not a version`},
		{"no version", strings.Replace(good, " 1\n", " 0\n", 1), `line 1: "0" is not a version`},
		{"first line alone", shareTitle + " 1", "cut short"},
		{"cut", good[:len(good)/2], "cut short"},
		{"without an end", body, "cut short"},
		{"changed", strings.Replace(good, "6000", "5000", 1), "checksum differs"},
		{"tabs lost", strings.ReplaceAll(good, "\t", " "), "checksum differs"},
		{"line lost", strings.Replace(good, "go: go1.26\n", "", 1), "checksum differs"},
		{"no columns", signed(head), "names of columns"},
		{"no state", signed(shareTitle + " 1\n" + names), `no "state"`},
		{"no fact", signed(shareTitle + " 1\nstate calm\n" + names), "line 2"},
		{"escape", signed(head + "cpu: \x1b[2J\n" + names), "line 3"},
		{"escape in a row", signed(head + names + strings.Replace(cells, "1x1x1", "\x1b[2J", 1)), "is no shape"},
		{"short row", signed(head + names + "kernels\tMatMul\n"), "line 4: 2 columns, want 12"},
		{"no number", signed(head + names + strings.Replace(cells, "\t5\t", "\tfive\t", 1)), `ns_min "five"`},
		{"negative", signed(head + names + strings.Replace(cells, "\t5\t", "\t-5\t", 1)), `ns_min "-5"`},
		{"not a number", signed(head + names + strings.Replace(cells, "\t5\t", "\tNaN\t", 1)), `ns_min "NaN"`},
		{"infinite", signed(head + names + strings.Replace(cells, "\t6\t", "\tInf\t", 1)), `ns_median "Inf"`},
		{"order", signed(head + names + strings.Replace(cells, "\t6\t", "\t4\t", 1)), "impossible"},
	} {
		_, err := parseRecord(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	for i := range len(good) - 1 {
		changed := []byte(good)
		changed[i] ^= 1
		if _, err := parseRecord(string(changed)); err == nil {
			t.Errorf("byte %d changed from %q to %q: no error", i, good[i], changed[i])
		}
		if _, err := parseRecord(good[:i]); err == nil {
			t.Errorf("cut after %d bytes: no error", i)
		}
	}
}

func FuzzRecord(f *testing.F) {
	text := sample().record().text()
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRecord(text)
		if err != nil {
			// With the right sum the lines themselves are read.
			text = strings.ReplaceAll(text, "\r\n", "\n")
			if at := strings.LastIndex(text, "\n"+ending); at >= 0 {
				r, err = parseRecord(signed(text[:at+1]))
			}
		}
		if err != nil || r.facts == nil {
			return
		}
		again, err := parseRecord(r.text())
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("read %+v, wrote it, and read %+v, %v", r, again, err)
		}
	})
}

func comparison(a, b record) string {
	var out bytes.Buffer
	compare(&out, side{"a.txt", a}, side{"b.txt", b})
	return out.String()
}

func requireLine(t *testing.T, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(`(?m)^` + pattern + `$`).MatchString(text) {
		t.Errorf("no line %q in:\n%s", pattern, text)
	}
}

func TestCompare(t *testing.T) {
	a := sample()
	b := sample()
	b.Machine.CPU = "Another"
	b.Limits.Units[0].Unit, b.Limits.Units[0].GFLOPS = "neon", 48
	b.Limits.Units = b.Limits.Units[:1]
	b.Calibrations[0].Unit = "neon"
	b.Bits = map[string]string{"neon": "b175"}
	b.Results = []result{
		{Section: kernels, Op: "MatMul", Shape: "64x64x64", Kernel: "neon", Flops: 524288, NsMin: 12000, NsMedian: 24400, PeakPct: 45, PeakPctMedian: 44.75},
		{Section: reductions, Op: "Sums", Shape: "8192@L1", Kernel: "neon", Bytes: 32768, NsMin: 500, NsMedian: 1025},
		{Section: networks, Op: "Network", Shape: "2-3-1", Kernel: "neon", NsMin: 1, NsMedian: 1},
	}
	text := comparison(a.record(), b.record())
	for _, want := range []string{
		`A  a\.txt`, `B  b\.txt`,
		`cpu +A +Some CPU.* B  Another.*`,
		`go +A B  go1\.26`,
		`avx2 : neon peak GFLOP/s +96 +48 +0\.5`,
		`avx2 : neon peak GFLOP/s, 2 workers +190 +190 +1`,
		`MatMul +64x64x64 +avx2 : neon +6000 \(6100\) +12000 \(24400\) +0\.5 \(0\.25\) +90\.0 \(89\.5\) +45\.0 \(44\.8\) +0\.5 \(0\.5\)`,
		`Sums +4096@L1 : 8192@L1 +avx2 : neon +500 \(512\.5\) +500 \(1025\) +2 \(1\)`, // twice the work in the same time
		`only B measured Network 2-3-1 on neon`,
		`the same bits of a small training: A on avx2, B on neon`,
		`both machines were calm`,
	} {
		requireLine(t, text, want)
	}

	b.Bits["neon"] = "b176"
	b.Disturbed = []string{"a neighbour"}
	text = comparison(a.record(), b.record())
	for _, want := range []string{
		`disturbed machine: do not compare: B was disturbed`,
		`disturbed machine: do not compare: B: a neighbour`,
		`DIFFERENT BITS of a small training: A on avx2 b175`,
		`DIFFERENT BITS of a small training: B on neon b176`,
	} {
		requireLine(t, text, want)
	}
	if strings.Contains(text, "calm machine") || strings.Contains(text, "machines were calm") {
		t.Errorf("a disturbed machine was called calm:\n%s", text)
	}
}

// The best implementations of both machines come first, then those that both have.
func TestPairs(t *testing.T) {
	rows := func(names ...string) (r record) {
		for _, name := range names {
			r.rows = append(r.rows, row{section: kernels, op: "MatMul", shape: "1x2x3", kernel: name})
		}
		return r
	}
	for _, c := range []struct {
		a, b record
		want string
	}{
		{rows("avx512", "avx2", "generic"), rows("avx2", "generic"), "avx512:avx2 avx2:avx2 generic:generic"},
		{rows("avx2", "generic"), rows("avx2", "generic"), "avx2:avx2 generic:generic"},
		{rows("avx2", "generic"), rows("neon", "generic"), "avx2:neon generic:generic"},
		{rows("avx2"), rows("neon"), "avx2:neon"},
	} {
		both, onlyA, onlyB := pairs(c.a, c.b)
		var got []string
		for _, p := range both {
			got = append(got, p.a.kernel+":"+p.b.kernel)
		}
		if s := strings.Join(got, " "); s != c.want || len(onlyA)+len(onlyB) > 0 {
			t.Errorf("pairs %q, want %q", s, c.want)
		}
	}
}

// From the command line: a run is written, read, and compared with the next run and with
// itself.
func TestShareAndCompare(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.txt")
	only := []string{"--section", "networks,reductions", "--run", "Network|Sums"}
	args := slices.Concat(only, fast)
	require.Equal(t, done, run(append(args, "--share", file), io.Discard, io.Discard))
	r, err := readRecord(file)
	require.NoError(t, err)
	require.NotEmpty(t, r.rows)
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1, "a file was left behind")

	var out bytes.Buffer
	require.Equal(t, done, run(append(args, "--compare", file), &out, io.Discard))
	requireLine(t, out.String(), `B  this machine, now`)
	requireLine(t, out.String(), `Sums .*`)
	requireLine(t, out.String(), `the same bits of a small training: .*`)

	out.Reset()
	require.Equal(t, done, run([]string{"--compare", file, "--with", file, "--run", "Network"}, &out, io.Discard))
	requireLine(t, out.String(), `Network .* 1 \(1\).*`)
	if strings.Contains(out.String(), "Sums") {
		t.Errorf("--run Network printed:\n%s", out.String())
	}

	var errs bytes.Buffer
	require.NoError(t, os.WriteFile(file, []byte(shareTitle+" 9\n"), 0o600))
	require.Equal(t, failed, run([]string{"--compare", file}, io.Discard, &errs))
	require.Contains(t, errs.String(), file+": written by a newer bench")
}
