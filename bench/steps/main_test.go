package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestRun: the command prints a rate for every grade.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains for seconds")
	}
	var out bytes.Buffer
	if err := run([]string{"-only", "xu1"}, &out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "xu1, batch 32"); n != 3 {
		t.Errorf("%d grades, want 3:\n%s", n, &out)
	}
	if err := run([]string{"-peer", "/nowhere/peer.sh", "-only", "xu1"}, &out); err == nil {
		t.Error("a peer that is not there is no error")
	}
}
