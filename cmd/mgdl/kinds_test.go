package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// npy is the file of an array of float64.
func npy(rows, columns int, data []float64) string {
	shape := fmt.Sprintf("(%d, %d)", rows, columns)
	if columns == 1 {
		shape = fmt.Sprintf("(%d,)", rows)
	}
	header := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': %s, }\n", shape)
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00")
	binary.Write(&b, binary.LittleEndian, uint16(len(header)))
	b.WriteString(header)
	binary.Write(&b, binary.LittleEndian, data)
	return b.String()
}

// TestArrays: one table as CSV, as an array and as an archive makes the same predictions,
// and every argument that takes data takes each of them.
func TestArrays(t *testing.T) {
	const rows = 80
	var x, y, all []float64
	var csv, features strings.Builder
	csv.WriteString("x0,x1,x2\n")
	features.WriteString("x0,x1\n")
	for i := range rows {
		a, b := float64(i%9)/4, float64(i*i%23)
		c := 2*a - b/3 + float64(i%2)/8
		x, y, all = append(x, a, b), append(y, c), append(all, a, b, c)
		fmt.Fprintf(&csv, "%v,%v,%v\n", a, b, c)
		fmt.Fprintf(&features, "%v,%v\n", a, b)
	}
	dir := t.TempDir()
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for name, content := range map[string]string{"x.npy": npy(rows, 2, x), "y.npy": npy(rows, 1, y)} {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = w.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	table := write(t, dir, "a.csv", csv.String())
	array := write(t, dir, "a.npy", npy(rows, 3, all))
	pair := write(t, dir, "a.npz", archive.String())
	onlyX := write(t, dir, "x.npy", npy(rows, 2, x))

	want := mustRun(t, "predict", quickModel(t, table), table).stdout
	for _, c := range []struct{ train, target string }{{table, "x2"}, {array, "x2"}, {pair, "y"}} {
		model := quickModel(t, c.train)
		got := strings.Replace(mustRun(t, "predict", model, c.train).stdout, c.target, "x2", 1)
		require.Equal(t, want, got, c.train)
		require.Equal(t, want, strings.Replace(mustRun(t, "predict", model, onlyX).stdout, c.target, "x2", 1))
		var e struct{ Rows int }
		require.NoError(t, json.Unmarshal([]byte(mustRun(t, "eval", model, c.train, "--json").stdout), &e))
		require.Equal(t, rows, e.Rows)
		mustRun(t, "report", model, c.train, "-o", filepath.Join(dir, "r.html"))
		quickModel(t, c.train, "--val-data", c.train, "--report", filepath.Join(dir, "r.html"))
	}
	// A table of the features alone has no target to measure with.
	r := command(t, "", "eval", quickModel(t, array), onlyX)
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, `x.npy: no column named "x2", the target of the model`)

	require.NoError(t, os.Truncate(array, 1000))
	r = command(t, "", "train", array, "-o", filepath.Join(dir, "n.safetensors"))
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, "a.npy: is truncated")
	require.NoFileExists(t, filepath.Join(dir, "n.safetensors"))
}
