package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/kernel"
)

func TestUsageErrors(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		want string // part of standard error
	}{
		{"--fast", usage, "flag provided but not defined"},
		{"--isa mmx", usage, `no implementation "mmx" here`},
		{"--quick now", usage, `unexpected argument "now"`},
		{"--rounds -1", usage, "--rounds -1"},
		{"--rounds x", usage, "invalid value"},
		{"--run (", usage, "--run"},
		{"--run NoSuchOperation", usage, "match no workload"},
		{"--section kernel", usage, `no section "kernel"; there are kernels, networks, training, reductions`},
		{"--section networks --run MatMul", usage, "match no workload"},
		{"--with x", usage, "--with needs --compare"},
		{"--json --compare x", usage, "exclude each other"},
		{"--compare x --with y --quick", usage, "--with measures nothing, so --quick says nothing"},
		{"--compare testdata/none.txt", failed, "testdata/none.txt"},
		{"--compare main_test.go", failed, "main_test.go: not a file that bench --share wrote"},
		{"--share testdata/none/mine.txt", failed, "no directory testdata/none"},
		{"-h", done, "usage: go run ./bench"},
	} {
		var out, errs bytes.Buffer
		code := run(strings.Fields(c.args), &out, &errs)
		if code != c.code || !strings.Contains(errs.String(), c.want) || out.Len() > 0 {
			t.Errorf("%s: exit %d, printed %q and %q; want exit %d and %q", c.args, code, out.String(), errs.String(), c.code, c.want)
		}
	}
}

// A kernel forced by the environment that is not there must not be replaced in silence.
func TestEnvironmentNotHonoured(t *testing.T) {
	const child = "MULTIGRADE_BENCH_CHILD"
	if os.Getenv(child) != "" {
		os.Exit(run([]string{"--quick", "--run", "Sums/"}, os.Stdout, os.Stderr))
	}
	exe, err := os.Executable()
	if err != nil {
		t.Skipf("no child processes here: %v", err)
	}
	cmd := exec.Command(exe, "-test.run=^TestEnvironmentNotHonoured$")
	cmd.Env = append(os.Environ(), child+"=1", "MGDL_KERNEL=mmx")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil { // wasm, and emulators of one program
		t.Skipf("no child processes here: %v", err)
	}
	if code := cmd.ProcessState.ExitCode(); code != usage || !strings.Contains(string(out), "MGDL_KERNEL=mmx is not available here") {
		t.Errorf("exit %d, printed %q; want exit %d and the reason", code, out, usage)
	}
}

// fast is the least a run can do: what it prints is tested, not what it measures.
var fast = []string{"--quick", "--rounds", "1"}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	measured := sections
	if testing.Short() { // TestJSON has a training step too
		measured = []string{kernels, networks, reductions}
	}
	require.Equal(t, done, run(append([]string{"--isa", "all", "--section", strings.Join(measured, ",")}, fast...), &out, io.Discard))
	text := out.String()
	for _, w := range workloads(detect().Caches) {
		if !slices.Contains(measured, w.section) {
			continue
		}
		for _, k := range kernel.Available() {
			line := regexp.MustCompile(fmt.Sprintf(`(?m)^%s +%s +%s +[0-9.]+ +[0-9.]+ `, w.op, regexp.QuoteMeta(w.shape), k.Name()))
			left := fmt.Sprintf("%s %s on %s", w.op, w.shape, k.Name())
			if !line.MatchString(text) && !strings.Contains(text, left) {
				t.Errorf("no line for %s", left)
			}
		}
	}
	for _, want := range []string{"cpu ", "caches ", "kernel ", "Limits of one core", "peak in the rounds", "bits of a small training", "\nkernels: ", "\nnetworks: ", "\nreductions: ", " machine"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the table:\n%s", want, text)
		}
	}
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimRight(line, " ") != line {
			t.Errorf("line %d ends in spaces: %q", i+1, line)
		}
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	require.Equal(t, done, run(append([]string{"--json", "--run", "/1x|Residual|Cross|Network|Step/16.*/32/"}, fast...), &out, io.Discard))
	var d document
	dec := json.NewDecoder(&out)
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&d))
	require.NotEmpty(t, d.Results)
	require.NotEmpty(t, d.Limits.Units)
	require.Equal(t, kernel.Default().Name(), d.Machine.Kernel.Name)
	require.Greater(t, d.Limits.GHz, 0.0)
	for _, u := range d.Limits.Units {
		require.Greater(t, u.GFLOPS, 0.0)
		for _, l := range u.Levels {
			require.Greater(t, min(l.ReadGBps, l.WriteGBps), 0.0, l.Level)
		}
	}
	for _, r := range d.Results {
		if n := r.Section == networks || r.Section == training; n != (r.SamplesPer > 0) {
			t.Errorf("samples: %+v", r)
		}
		if r.NsMin <= 0 || r.NsMedian < r.NsMin || r.Calls < 1 || len(r.Ns) != d.Rounds || r.Limit == "" || max(r.GFLOPS, r.GBps) <= 0 {
			t.Errorf("implausible: %+v", r)
		}
	}
}

func TestWriteError(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	for _, args := range [][]string{nil, {"--json"}} {
		args = append(append(args, "--run", "Sums/"), fast...)
		require.Equal(t, failed, run(args, w, io.Discard))
	}
}

func TestDisturbed(t *testing.T) {
	for _, c := range []struct {
		name  string
		peaks []float64
		best  float64
		want  []string
	}{
		{"calm", []float64{100, 99, 98, 99, 100, 99, 98}, 100, nil},
		{"rose", []float64{95, 96, 97, 98, 99, 100, 100}, 100, nil},
		{"moved", []float64{100, 100, 92, 100, 100, 100, 100}, 100, []string{"moved by 8 %"}},
		{"fell", []float64{100, 100, 100, 96, 96, 96, 96}, 100, []string{"fell from 100 to 96"}},
		{"moved and fell", []float64{100, 100, 100, 80, 80, 80, 80}, 100, []string{"moved", "fell"}},
		{"lower than before", []float64{90, 90, 90}, 100, []string{"had been 100"}},
		{"no rounds", nil, 100, nil},
	} {
		got := disturbed("avx2", c.peaks, c.best)
		ok := len(got) == len(c.want)
		for i := range got {
			ok = ok && strings.Contains(got[i], c.want[i])
		}
		if !ok {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	above := func(pct, median float64) result { return result{Op: "Step", PeakPct: pct, PeakPctMedian: median} }
	if got := impossible([]result{above(99, 101), above(0, 0)}); got != nil {
		t.Errorf("possible results: %q", got)
	}
	if got := impossible([]result{above(120, 90), above(90, 120), above(90, 90)}); len(got) != 1 || !strings.Contains(got[0], "and 1 more") {
		t.Errorf("two results above the peak: %q", got)
	}
	d := document{Limits: limits{Units: []unitLimits{{}}}, outcome: outcome{Disturbed: []string{"a neighbour"}}}
	var out bytes.Buffer
	d.text(&out)
	if !strings.Contains(out.String(), "disturbed machine: do not compare: a neighbour\n") {
		t.Errorf("the table does not say that the machine was disturbed:\n%s", out.String())
	}
}

func TestScheduleKeepsTheBudget(t *testing.T) {
	ws := []workload{matMul(1, 8, 8), matMul(2, 8, 8), matMul(4, 8, 8)}
	ks := []kernel.Kernel{kernel.Default()}
	p := quick
	p.rounds, p.budget = 20, 0
	tasks, rounds, left := schedule(ws, ks, units(), p)
	if len(tasks) != 0 || rounds != leastRounds || len(left) != len(ws) {
		t.Errorf("no time: %d tasks, %d rounds, %q left out", len(tasks), rounds, left)
	}
	p.budget = 1 << 62
	tasks, rounds, left = schedule(ws, ks, units(), p)
	if len(tasks) != len(ws) || rounds != 20 || len(left) != 0 {
		t.Errorf("all the time: %d tasks, %d rounds, %q left out", len(tasks), rounds, left)
	}
}

// Each round has its stack at another place of a page, and sixteen rounds see all of it.
func TestDepthMovesTheStack(t *testing.T) {
	at := make([]int, 0, 17)
	atDepth(15, func() {}) // the stack grows, and moves, now
	for r := range 16 {
		atDepth(depth(r), func() {
			var here byte
			at = append(at, int(uintptr(unsafe.Pointer(&here))%4096))
		})
	}
	slices.Sort(at)
	at = append(at, at[0]+4096)
	for i := range 16 {
		if gap := at[i+1] - at[i]; gap == 0 || gap > 1024 {
			t.Errorf("places in the page %v: gap of %d bytes", at, gap)
		}
	}
}

func TestLimit(t *testing.T) {
	cs := caches([3]int{32 << 10, 1 << 20, 0}, [3]int{}, false)
	u := unitLimits{Levels: []bandwidth{
		{Level: "L1", ReadGBps: 200, WriteGBps: 100}, {Level: "L2", ReadGBps: 100, WriteGBps: 50}, {Level: "DRAM", ReadGBps: 20, WriteGBps: 10},
	}}
	for _, c := range []struct {
		w    workload
		name string
		ns   float64
	}{
		{workload{flops: 1000, reads: 100, writes: 100, touch: 200}, "fma", 10},
		{workload{flops: 10, reads: 4000, writes: 100, touch: 4100}, "L1 read", 20},
		{workload{reads: 4000, writes: 4000, touch: 8000}, "L1 write", 40},
		{workload{reads: 64 << 10, touch: 64 << 10}, "L2 read", 32768/200.0 + 32768/100.0}, // half of it may be in L1
		{workload{writes: 4 << 20, touch: 4 << 20}, "DRAM write", 1<<20/50.0 + 3<<20/10.0},
	} {
		if name, ns := c.w.limit(100, u, cs); name != c.name || math.Abs(ns-c.ns) > 1e-9*c.ns {
			t.Errorf("%+v: %s %v, want %s %v", c.w, name, ns, c.name, c.ns)
		}
	}
}

func TestCaches(t *testing.T) {
	const k, m = 1 << 10, 1 << 20
	for _, c := range []struct {
		name          string
		cpuid, system [3]int
		virtual       bool
		want          string
	}{
		{"agreed", [3]int{32 * k, m, 32 * m}, [3]int{32 * k, m, 32 * m}, false, "32 KiB cpuid|1 MiB cpuid|32 MiB cpuid"},
		{"unknown", [3]int{-1, -1, -1}, [3]int{}, false,
			"32 KiB assumed (no believable size reported)|512 KiB assumed (no believable size reported)"},
		{"no third", [3]int{}, [3]int{64 * k, 4 * m, 0}, false, "64 KiB system|4 MiB system"},
		{"differ", [3]int{48 * k, 2 * m, 260 * m}, [3]int{48 * k, 2 * m, 16 * m}, false,
			"48 KiB cpuid|2 MiB cpuid|16 MiB system (cpuid says 260 MiB, the system says 16 MiB)"},
		{"all the same", [3]int{32 * k, 32 * k, 32 * k}, [3]int{}, false,
			"32 KiB cpuid|512 KiB assumed (no believable size reported)"},
		{"one unbelievable", [3]int{1, m, 0}, [3]int{32 * k, 1, 0}, false,
			"32 KiB system (cpuid's 1 B is not believable)|1 MiB cpuid (the system's 1 B is not believable)"},
		{"guest", [3]int{32 * k, m, 16 * m}, [3]int{}, true,
			"32 KiB cpuid (as the hypervisor says, unchecked)|1 MiB cpuid (as the hypervisor says, unchecked)|" +
				"16 MiB cpuid (as the hypervisor says, unchecked, perhaps shared with other guests)"},
	} {
		var got []string
		for _, x := range caches(c.cpuid, c.system, c.virtual) {
			s := bytesText(x.Bytes) + " " + x.From
			if x.Note != "" {
				s += " (" + x.Note + ")"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, "|"); s != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, s, c.want)
		}
	}
}

// Every level's buffer must fit its cache and not the one below.
func TestLevels(t *testing.T) {
	const k, m = 1 << 10, 1 << 20
	for _, c := range [][3]int{{32 * k, m, 32 * m}, {32 * k, 64 * k, 0}, {64 * k, 512 * k, m}, {192 * k, 12 * m, 0}, {48 * k, 2 * m, 1 << 30}} {
		cs := caches(c, [3]int{}, false)
		ls := levels(cs)
		if len(ls) != len(cs)+1 || ls[len(cs)].Level != "DRAM" {
			t.Fatalf("%v: levels %+v", c, ls)
		}
		for i, l := range ls {
			if l.Bytes%(8*blockWords) != 0 || i < len(cs) && l.Bytes > cs[i].Bytes/4*3 || i > 0 && i < len(cs) && l.Bytes <= cs[i-1].Bytes {
				t.Errorf("%v: level %+v", c, l)
			}
		}
	}
}

func TestWorkloadNamesDiffer(t *testing.T) {
	var names []string
	for _, w := range workloads(detect().Caches) {
		names = append(names, w.op+"/"+w.shape)
	}
	slices.Sort(names)
	if n := len(slices.Compact(slices.Clone(names))); n != len(names) {
		t.Errorf("%d names for %d workloads: %q", n, len(names), names)
	}
}

// A section is measured alone.
func TestSection(t *testing.T) {
	var out bytes.Buffer
	require.Equal(t, done, run(append([]string{"--section", "networks"}, fast...), &out, io.Discard))
	text := out.String()
	if !strings.Contains(text, "\nnetworks: ") || strings.Contains(text, "MatMul") || strings.Contains(text, "Step ") {
		t.Errorf("--section networks printed:\n%s", text)
	}
	for _, w := range workloads(detect().Caches) {
		if !slices.Contains(sections, w.section) {
			t.Errorf("%s %s is in no section", w.op, w.shape)
		}
	}
}

// What the training section counts as work.
func TestStepFlops(t *testing.T) {
	// By hand: products of 4 rows with 2×3 and 3×1 forward, as many for weights, 3×1 for inputs.
	if w, want := step([]int{2, 3, 1}, 4, 1), 2.0*4*(6+3+6+3+3); w.flops != want {
		t.Errorf("%v floating-point operations, want %v", w.flops, want)
	}
}

// The small training gives the same bits on every implementation, and learns.
func TestTrainingBits(t *testing.T) {
	want := trainingBits(kernel.Available()[0])
	for _, k := range kernel.Available() {
		if got := trainingBits(k); got != want {
			t.Errorf("%s: %s, want %s", k.Name(), got, want)
		}
	}
	l := newLesson(kernel.Default(), []int{3, 16, 1}, 40, nil, 1e-2)
	before, after := l.step(), 0.0
	for range 50 {
		after = l.step()
	}
	if !(after < before) {
		t.Errorf("the loss went from %v to %v", before, after)
	}
}

// A step for one worker and one for two are the same step.
func TestStepWorkers(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 || runtime.NumCPU() < 2 {
		t.Skip("one core: nothing is measured with two workers")
	}
	alone := newLesson(kernel.Default(), []int{2, 64, 1}, 1024, nil, 1e-2)
	team := step([]int{2, 64, 1}, 1024, 2).team
	p := probe{team: team}
	p.start()
	defer team.Stop()
	both := newLesson(kernel.Default(), []int{2, 64, 1}, 1024, team, 1e-2)
	for range 5 {
		if a, b := alone.step(), both.step(); a != b {
			t.Fatalf("loss %v for one worker, %v for two", a, b)
		}
	}
	if !slices.Equal(alone.net.Flat, both.net.Flat) {
		t.Error("the networks differ")
	}
}

func TestYardstick(t *testing.T) {
	const ms = time.Millisecond
	for guess, want := range map[time.Duration]time.Duration{
		ms / 2: ms, ms: ms, 2 * ms: ms, 3 * ms: 4 * ms, 8 * ms: 4 * ms, 9 * ms: 16 * ms, 60 * ms: 64 * ms, time.Hour: 64 * ms,
	} {
		x := task{probe: probe{n: 1, guess: guess.Seconds()}}
		if got := x.yardstick(ms); got.window != want || got.workers != 1 {
			t.Errorf("a sample of %v is held against %d workers for %v, want one for %v", guess, got.workers, got.window, want)
		}
	}
}

func TestSmallThings(t *testing.T) {
	if got := median([]float64{3, 1, 2}); got != 2 {
		t.Errorf("median = %v, want 2", got)
	}
	if got := median([]float64{4, 1, 2, 3}); got != 2.5 {
		t.Errorf("median = %v, want 2.5", got)
	}
	for x, want := range map[float64]float64{0: 0, 1234567: 1235000, 0.00123456: 0.001235, 9.9996: 10, 121412345: 121400000} {
		if got := round(x); got < want*(1-1e-12) || got > want*(1+1e-12) {
			t.Errorf("round(%v) = %v, want %v", x, got, want)
		}
	}
	if got := number4(121412345); got != "121400000" {
		t.Errorf("number4(121412345) = %q", got)
	}
	info := "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2\n"
	if got := field(info, "model name"); got != "Some CPU @ 2 GHz" {
		t.Errorf("field = %q", got)
	}
	file := filepath.Join(t.TempDir(), "size")
	require.NoError(t, os.WriteFile(file, []byte("32K\n"), 0o600))
	if got := readText(file); got != "32K" {
		t.Errorf("readText = %q", got)
	}
}
