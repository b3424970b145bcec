package main

import (
	"strings"
	"testing"
)

// TestRun: the bits are the same everywhere, so the digits are too.
func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run([]string{"0.25", "0.5"}, &out); err != nil {
		t.Fatal(err)
	}
	const want = `x = 0.25  grade 1: -0.0403  grade 3: 0.0835
x = 0.5  grade 1: 0.4625  grade 3: 0.4157
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if err := run([]string{"a"}, &out); err == nil {
		t.Error("a word was taken for a number")
	}
}
