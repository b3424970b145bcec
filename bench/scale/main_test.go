package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

// TestScale: the table is the same at every run and can be learnt, and a line for each
// grade comes out.
func TestScale(t *testing.T) {
	dir := t.TempDir()
	for _, digits := range []int{0, 3} {
		a, b := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv")
		require.NoError(t, generate(a, 400, 6, digits))
		require.NoError(t, generate(b, 400, 6, digits))
		one, err := os.ReadFile(a)
		require.NoError(t, err)
		other, err := os.ReadFile(b)
		require.NoError(t, err)
		require.Equal(t, one, other)
		require.Equal(t, 401, bytes.Count(one, []byte("\n")))

		var out strings.Builder
		require.NoError(t, measure(&out, a, 6, 800, mgdl.Config{Grades: 1, Hidden: []int{4}, Chains: 1}))
		fields := strings.Fields(out.String())
		require.GreaterOrEqual(t, len(fields), 8, out.String())
		require.Equal(t, []string{"400", "6"}, fields[:2])
		require.NoError(t, os.Remove(a))
		require.NoError(t, os.Remove(b))
	}
}
