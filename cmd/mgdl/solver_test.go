package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// --solver convex prints the certified gap of each grade, which the model keeps.
func TestSolverConvex(t *testing.T) {
	t.Chdir(t.TempDir())
	var csv strings.Builder
	csv.WriteString("a,b,y\n")
	for i := range 120 {
		a, b := float64(i%11)/11, float64(i%13)/13
		fmt.Fprintf(&csv, "%g,%g,%g\n", a, b, math.Abs(a-0.4)+a*b)
	}
	require.NoError(t, os.WriteFile("t.csv", []byte(csv.String()), 0o644))
	r := mustRun(t, "train", "t.csv", "--solver", "convex", "--grades", "2", "--hidden", "12", "--json", "-o", "m.safetensors")
	grades := 0
	for line := range strings.Lines(r.stdout) {
		var e struct {
			Event string
			Gap   *float64
		}
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		if e.Event == "grade" {
			grades++
			require.NotNil(t, e.Gap)
			require.True(t, *e.Gap >= 0 && *e.Gap <= 1e-3, "%v", *e.Gap)
		}
	}
	require.Equal(t, 2, grades)
	require.Contains(t, mustRun(t, "inspect", "m.safetensors").stdout, "for the gates it was given")
	for _, c := range [][]string{{"--solver", "lp"}, {"--solver", "convex", "--hidden", "3,3"}, {"--solver", "convex", "--activation", "sin"}, {"--solver", "convex", "--chains", "2"}} {
		require.Equal(t, exitUsage, command(t, "", append([]string{"train", "t.csv"}, c...)...).code, "%v", c)
	}
	require.Equal(t, exitUsage, command(t, "", "train", "demo:iris", "--solver", "convex", "-o", "x.safetensors").code)
	require.NoFileExists(t, "x.safetensors")
}
