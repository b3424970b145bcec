//go:build !riscv64

// A package of a rival does not build on riscv64.

package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// Everybody computes the same, at every size.
func TestContests(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range contests() {
		name := c.op + "/" + c.shape
		if seen[name] {
			t.Errorf("%s twice", name)
		}
		seen[name] = true
		if c.calls[0] == nil || c.calls[1] == nil {
			t.Errorf("%s: not everybody takes part who can", name)
		}
		if c.flops > 1e9 && testing.Short() {
			continue
		}
		if err := c.check(); err != nil {
			t.Error(err)
		}
	}
}

// A player that computes something else is found out.
func TestCheck(t *testing.T) {
	c := product(2, 3, 4)
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

func TestRun(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"--quick", "--rounds", "2", "--run", "MatMul/1x|WeightGrad/256|Network/2-"}, &out, &errs); code != done {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	for _, want := range []string{"MatMul      1x64x64 ", "WeightGrad  256x64x64 ", "Network     2-64-64-64-1 ", "gonum/ours", "vek/ours"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, out.String())
		}
	}
	for _, args := range [][]string{{"--run", "("}, {"--run", "nothing"}, {"--rounds", "0"}, {"more"}, {"--fast"}} {
		if code := run(args, io.Discard, io.Discard); code != usage {
			t.Errorf("%q: exit %d, want %d", args, code, usage)
		}
	}
}
