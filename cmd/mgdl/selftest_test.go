package main

import (
	"strings"
	"testing"

	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl"
)

// TestSelftest prints the constants when they are wrong: if the bits of the product
// change on purpose, they go into selftest.go.
func TestSelftest(t *testing.T) {
	hashes, err := selftest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(hashes) != len(kernel.Available()) {
		t.Errorf("%d hashes for %d implementations: the number of workers changes the bits", len(hashes), len(kernel.Available()))
	}
	for _, h := range hashes {
		if !h.ok() {
			t.Errorf("%s with %d workers gives\n\twantTrain   = %q\n\twantPredict = %q", h.Kernel, h.Workers, h.Train, h.Predict)
		}
	}
}

// TestSelftestCases checks that the cases use what there is to go wrong: three network
// grades, and a linear one where there is one.
func TestSelftestCases(t *testing.T) {
	for _, task := range []mgdl.Task{mgdl.Regression, mgdl.Classification} {
		m, err := mgdl.Train(t.Context(), selftestData(task), selftestConfig(task, kernel.Kernel{}, 1))
		if err != nil {
			t.Fatal(err)
		}
		kinds := ""
		for _, g := range m.Grades() {
			kinds += " " + g.Kind
		}
		if !strings.HasSuffix(kinds, " relu relu relu") || task == mgdl.Classification && len(m.Grades()) != 4 {
			t.Errorf("%s: grades%s", task, kinds)
		}
	}
}

// TestSelftestPlan checks that every grade of the third case is kept and that its kinds are there.
func TestSelftestPlan(t *testing.T) {
	d := selftestData(mgdl.Regression)
	m, err := mgdl.Train(t.Context(), d, selftestPlan(d, kernel.Kernel{}, 1))
	if err != nil {
		t.Fatal(err)
	}
	kinds := ""
	for _, g := range m.Grades() {
		kinds += " " + g.Kind
	}
	if kinds != " sin relu sin relu" {
		t.Errorf("grades%s", kinds)
	}
}

func TestSelftestCommand(t *testing.T) {
	v := lines(t, mustRun(t, "selftest", "--json").stdout)[0]
	hashes, _ := v["hashes"].([]any)
	if v["ok"] != true || len(hashes) != len(kernel.Available()) {
		t.Errorf("selftest --json gives %v", v)
	}
	for i, k := range kernel.Available() {
		h := hashes[i].(map[string]any)
		if h["kernel"] != k.Name() || h["train"] != wantTrain || h["predict"] != wantPredict {
			t.Errorf("hash %v", h)
		}
	}
}
