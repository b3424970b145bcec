//go:build !riscv64

// A package of a rival does not build on riscv64.

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/multigrade/multigrade/bench/internal/machine"
	"github.com/multigrade/multigrade/bench/internal/probe"
	"github.com/multigrade/multigrade/bench/internal/shapes"
	"github.com/multigrade/multigrade/kernel"
)

// Everybody computes the same, at every size.
func TestContests(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range contests(kernel.Default()) {
		if seen[c.String()] {
			t.Errorf("%s twice", c)
		}
		seen[c.String()] = true
		if c.calls[0] == nil || c.calls[1] == nil {
			t.Errorf("%s: not everybody takes part who can", c)
		}
		if c.work.Flops > 1e9 && testing.Short() {
			continue
		}
		if err := c.check(); err != nil {
			t.Error(err)
		}
	}
}

// A player that computes something else is found out.
func TestCheck(t *testing.T) {
	c := product(kernel.Default(), 2, 3, 4)
	wrong := append([]float32(nil), c.results[2]()...)
	c.results[2] = func() []float32 { return wrong }
	wrong[5] += 100
	if err := c.check(); err == nil || !strings.Contains(err.Error(), "result") {
		t.Errorf("error %v", err)
	}
	wrong = wrong[:3]
	if err := c.check(); err == nil || !strings.Contains(err.Error(), "3 results, not 8") {
		t.Errorf("error %v", err)
	}
}

// scripted is a process that gives the answers of a script.
func scripted(t *testing.T, answers map[string]string) *process {
	toUs, out := io.Pipe()
	in, toThem := io.Pipe()
	go func() {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			answer, ok := answers[lines.Text()]
			if !ok {
				break
			}
			_, _ = io.WriteString(out, answer+"\n")
		}
		_ = out.Close()
		_ = in.Close()
	}()
	p, err := converse(toThem, toUs, toThem.Close)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.stop() })
	return p
}

func TestProtocol(t *testing.T) {
	p := scripted(t, map[string]string{
		"peers": "one two ", "open one dw 1 2 3 1": "ok 7 1.5e-08", "open one dx 1 2 3 1": "no unsupported",
		"open two dx 1 2 3 1": "no wrong result err=1", "open two dw 1 2 3 1": "yes", "run 7 0.5": "1234.50",
		"run 8 0.5": "-1", "run 9 0.5": "fast",
	})
	if got := strings.Join(p.rivals, ","); got != "one,two" {
		t.Errorf("rivals %s", got)
	}
	if id, err := p.open("one", "dw 1 2 3"); id != 7 || err != nil {
		t.Errorf("problem %d, %v", id, err)
	}
	if _, err := p.open("one", "dx 1 2 3"); !errors.Is(err, errUnsupported) {
		t.Errorf("error %v", err)
	}
	if _, err := p.open("two", "dx 1 2 3"); err == nil || !strings.Contains(err.Error(), "wrong result err=1") {
		t.Errorf("error %v", err)
	}
	if _, err := p.open("two", "dw 1 2 3"); err == nil || !strings.Contains(err.Error(), `answer "yes"`) {
		t.Errorf("error %v", err)
	}
	if ns, err := p.run(7, time.Millisecond/2); ns != 1234.5 || err != nil {
		t.Errorf("%v ns, %v", ns, err)
	}
	for _, id := range []int{8, 9} {
		if _, err := p.run(id, time.Millisecond/2); err == nil {
			t.Errorf("problem %d: no error", id)
		}
	}
	if _, err := p.run(10, time.Millisecond/2); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("after the end: %v", err)
	}
}

// TestC compiles the rivals that need no library.
func TestC(t *testing.T) {
	cs := findCompilers(t.TempDir())
	if len(cs) == 0 {
		t.Skip(errNoCompiler)
	}
	t.Run("libraries", func(t *testing.T) { testLibraries(t, cs[0]) })
	t.Run("loops", func(t *testing.T) { testLoops(t, cs[0]) })
	t.Run("checks", func(t *testing.T) { testChecks(t, cs[0]) })
}

// A library is there when its header is, and the function that only the right one has.
func testLibraries(t *testing.T, c compiler) {
	for _, x := range []struct {
		include, probe string
		links          []string
		want           bool
	}{
		{"string.h", `strlen("")`, nil, true}, {"no/such.h", `strlen("")`, nil, false},
		{"string.h", "no_such_function()", nil, false}, {"string.h", `strlen("")`, []string{"-lnosuchlibrary"}, false},
	} {
		if got := c.has(t.TempDir(), library{include: x.include, probe: x.probe, links: x.links}); got != x.want {
			t.Errorf("%+v: %t", x, got)
		}
	}
}

// loops starts the plain loops, in whose source right is replaced by wrong.
func loops(t *testing.T, c compiler, right, wrong string) *process {
	dir := t.TempDir()
	if err := os.CopyFS(dir, sources); err != nil {
		t.Fatal(err)
	}
	if right != "" {
		file := filepath.Join(dir, "c", "loops.c")
		source, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(source, []byte(right)) {
			t.Fatalf("%q is not in %s: %v", right, file, err)
		}
		if err := os.WriteFile(file, bytes.Replace(source, []byte(right), []byte(wrong), 1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program, err := c.build(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := start(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// The plain loops take part in every contest, and pass the check of their process.
func testLoops(t *testing.T, c compiler) {
	p := loops(t, c, "", "")
	if len(p.rivals) != 1 || p.rivals[0] != "c-"+c.name {
		t.Fatalf("rivals %q", p.rivals)
	}
	problems := []string{"gemmbr 1 1 1", "gemmbr 5 7 3", "gemmbr 3 6 1", "dw 7 5 3", "dx 7 5 3", "mlp:3-5-2 1 0 0", "mlp:3-5-4-1 7 0 0"}
	for _, c := range contests(kernel.Default()) {
		if c.work.Flops < 1e8 {
			problems = append(problems, c.problem)
		}
	}
	for _, problem := range problems {
		id, err := p.open("c-"+c.name, problem)
		if err != nil {
			t.Errorf("%s: %v", problem, err)
			continue
		}
		if ns, err := p.run(id, 100*time.Microsecond); err != nil || ns > 1e9 {
			t.Errorf("%s: %v ns, %v", problem, ns, err)
		}
	}
	if answer, err := p.ask("lat 1 100"); err != nil || len(strings.Fields(answer)) != 3 {
		t.Errorf("latencies %q, %v", answer, err)
	}
	for _, problem := range []string{"gemm 2 2 2", "gemmbr 0 2 2", "mlp:3 1 0 0", "mlp:3-x 1 0 0", "mlp:3-2 65 0 0", "mlp:1-1-1-1-1-1-1-1-1-1 1 0 0"} {
		if _, err := p.open("c-"+c.name, problem); !errors.Is(err, errUnsupported) {
			t.Errorf("%s: %v", problem, err)
		}
	}
	if _, err := p.ask("open nobody dw 1 1 1 1"); err == nil {
		t.Error("an unknown rival")
	}
	if answer, err := p.ask("close"); err != nil || answer != "ok" {
		t.Errorf("%q, %v", answer, err)
	}
	if _, err := p.run(1, time.Millisecond); err == nil {
		t.Error("a problem that has been closed")
	}
}

// A rival in C that computes something else, or NaN, is found out.
func testChecks(t *testing.T, c compiler) {
	for _, wrong := range []string{"s += a[k] * b[0];", "s += a[k] / (b[k] - b[k]);"} {
		if _, err := loops(t, c, "s += a[k] * b[k];", wrong).open("c-"+c.name, "dx 7 5 3"); err == nil || !strings.Contains(err.Error(), "wrong result") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// The table names the best of each camp, by the fastest and by the median.
func TestTable(t *testing.T) {
	r := &race{
		contest: contest{op: "layer", shape: "2x2x2", work: shapes.Work{Flops: 200}},
		entries: []entry{
			{name: "ours", camp: ours, ns: []float64{10, 10, 12}}, {name: "quick", camp: inC, ns: []float64{8, 40, 40}},
			{name: "steady", camp: inC, ns: []float64{15, 15, 15}}, {name: "slow", camp: inGo, ns: []float64{90, 100, 110}},
		},
		peak: &probe.Probe{Ns: []float64{5, 6}}, flops: 200,
	}
	tab := table{races: []*race{r}, limits: machine.Limits{Units: []machine.UnitLimits{{Levels: make([]machine.Bandwidth, 1)}}}}
	var best, all bytes.Buffer
	if err := errors.Join(tab.print(&best), tab.printAll(&all)); err != nil {
		t.Fatal(err)
	}
	for want, in := range map[string]string{
		"layer 2x2x2 10 (10) quick 8 (40) 0.80 (1.50) slow 90 (100) 9.00 (10.00) 5 50.0 fma": best.String(),
		"layer 2x2x2 steady 15 (15) 1.50 (1.50) 33.3":                                        all.String(),
	} {
		if !strings.Contains(strings.Join(strings.Fields(in), " "), want) {
			t.Errorf("%q is not in:\n%s", want, in)
		}
	}
	if n := tab.unsteady(); n != 0 {
		t.Errorf("%d unsteady", n)
	}
	r.entries[0].ns = []float64{10, 11, 12}
	if n := tab.unsteady(); n != 1 {
		t.Errorf("%d unsteady", n)
	}
}

func TestCommand(t *testing.T) {
	for _, args := range [][]string{{"-c=false"}, {"-c", "--all"}} {
		if args[0] == "-c" && testing.Short() {
			continue
		}
		var out, errs bytes.Buffer
		args = append(args, "--quick", "--rounds", "2", "--run", "layer/1x64|weight gradient/256|network/2-.*/1$")
		if code := command(args, &out, &errs); code != done {
			t.Fatalf("%q: exit %d: %s", args, code, errs.String())
		}
		for _, want := range []string{"layer            1x64x64 ", "weight gradient  256x64x64 ", "network          2-64-64-64-1/1 ", "gonum", "floor"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q: %q is not in:\n%s", args, want, out.String())
			}
		}
	}
	for _, args := range [][]string{{"--run", "("}, {"--run", "nothing"}, {"--rounds", "0"}, {"more"}, {"--fast"}, {"--isa", "mmx"}} {
		if code := command(args, io.Discard, io.Discard); code != usage {
			t.Errorf("%q: exit %d, want %d", args, code, usage)
		}
	}
}
