package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/bench/internal/machine"
	"github.com/multigrade/multigrade/bench/internal/probe"
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
	for _, w := range workloads(machine.Detect().Caches) {
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
	d := document{Limits: machine.Limits{Units: []machine.UnitLimits{{}}}, outcome: outcome{Disturbed: []string{"a neighbour"}}}
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
	tasks, rounds, left := schedule(ws, ks, machine.Units(), p)
	if len(tasks) != 0 || rounds != leastRounds || len(left) != len(ws) {
		t.Errorf("no time: %d tasks, %d rounds, %q left out", len(tasks), rounds, left)
	}
	p.budget = 1 << 62
	tasks, rounds, left = schedule(ws, ks, machine.Units(), p)
	if len(tasks) != len(ws) || rounds != 20 || len(left) != 0 {
		t.Errorf("all the time: %d tasks, %d rounds, %q left out", len(tasks), rounds, left)
	}
}

func TestWorkloadNamesDiffer(t *testing.T) {
	var names []string
	for _, w := range workloads(machine.Detect().Caches) {
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
	for _, w := range workloads(machine.Detect().Caches) {
		if !slices.Contains(sections, w.section) {
			t.Errorf("%s %s is in no section", w.op, w.shape)
		}
	}
}

// What the training section counts as work.
func TestStepFlops(t *testing.T) {
	// By hand: products of 4 rows with 2×3 and 3×1 forward, as many for weights, 3×1 for inputs.
	if w, want := step([]int{2, 3, 1}, 4, 1), 2.0*4*(6+3+6+3+3); w.Flops != want {
		t.Errorf("%v floating-point operations, want %v", w.Flops, want)
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
	p := probe.Probe{Team: team}
	p.Start()
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
		x := task{Probe: probe.Probe{N: 1, Guess: guess.Seconds()}}
		if got := x.yardstick(ms); got.window != want || got.workers != 1 {
			t.Errorf("a sample of %v is held against %d workers for %v, want one for %v", guess, got.workers, got.window, want)
		}
	}
}

func TestNumber4(t *testing.T) {
	if got := number4(121412345); got != "121400000" {
		t.Errorf("number4(121412345) = %q", got)
	}
}
