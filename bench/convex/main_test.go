package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run([]string{"-sets", "sines,diabetes", "-data", t.TempDir(), "-grades", "2", "-width", "8", "-gates", "16", "-iterations", "200", "-epochs", "5", "-trace"}, &out))
	lines := strings.Split(out.String(), "\n")
	require.Contains(t, lines[0], "sines: 510 rows")
	require.Contains(t, out.String(), " global ")
	require.Contains(t, out.String(), "optimal for this gate set")
	require.Contains(t, out.String(), "λ 0.1: 0 ")
	require.Contains(t, out.String(), "diabetes: left out, ")
	require.Error(t, run([]string{"-lambdas", "a"}, io.Discard))
	require.Error(t, run([]string{"-sets", "sines", "-lambdas", "-1"}, io.Discard))
}
