package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/cmd/mgdl/papers"
	"github.com/multigrade/multigrade/mgdl"
)

func TestReproduce(t *testing.T) {
	out := mustRun(t, "reproduce", "--list").stdout
	for _, want := range []string{"s2 ", "4 x relu 256-256", "6.537e-06", "sin 256-256, relu 128-128-64", "0.5429"} {
		require.Contains(t, out, want)
	}

	file := filepath.Join(t.TempDir(), "t1.safetensors")
	out = mustRun(t, "reproduce", "t1", "--epochs", "20", "-o", file).stdout
	require.Contains(t, out, "8.38e-05")
	m, err := mgdl.ReadFile(file)
	require.NoError(t, err)
	for _, g := range m.Grades() {
		require.Equal(t, []int{32}, g.Hidden)
	}

	out = mustRun(t, "reproduce", "t1", "--waves", "64", "--json").stdout
	var line struct {
		Event              string
		Train, Val, Test   float64
		Seconds, Published float64
	}
	require.NoError(t, json.Unmarshal([]byte(strings.Split(out, "\n")[0]), &line))
	require.Equal(t, "grade", line.Event)
	require.Less(t, line.Test, 1e-9, "64 random waves follow three tones")
	require.Equal(t, 0.4404, line.Published)
}

// A picture is a case of its own, grey or in colours.
func TestReproducePicture(t *testing.T) {
	dir := t.TempDir()
	grey, colours := image.NewGray(image.Rect(0, 0, 12, 10)), image.NewNRGBA(image.Rect(0, 0, 12, 10))
	for i := range 12 * 10 {
		x, y := i%12, i/12
		grey.SetGray(x, y, color.Gray{Y: uint8(20*x + y)})
		colours.SetNRGBA(x, y, color.NRGBA{R: uint8(20 * x), G: uint8(25 * y), B: uint8(x * y), A: 255})
	}
	for name, c := range map[string]struct {
		m      image.Image
		layers string
	}{"grey.png": {grey, "relu 128-128 "}, "colours.png": {colours, "relu 256-256-256"}} {
		var b bytes.Buffer
		require.NoError(t, png.Encode(&b, c.m))
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o666))
		out := mustRun(t, "reproduce", "image:"+path, "--epochs", "3").stdout
		require.Contains(t, out, "PSNR in dB")
		require.Contains(t, out, c.layers)
		pic, err := papers.Picture(c.m, name)
		require.NoError(t, err)
		s := pic.Load()
		require.Equal(t, [3]int{30, 30, 120}, [3]int{s.Train.Rows, s.Val.Rows, s.Test.Rows})
		require.Equal(t, []float64{1.0 / 12, 1.0 / 10}, s.Val.X[:2])
	}
	require.Equal(t, exitData, command(t, "", "reproduce", "image:"+filepath.Join(dir, "none.png")).code)
}

func TestReproduceUsage(t *testing.T) {
	for _, args := range [][]string{
		{"reproduce"}, {"reproduce", "s9"}, {"reproduce", "t1", "--fast", "--single"}, {"reproduce", "t1", "--single"}, {"reproduce", "t1", "--workers", "0"},
	} {
		require.Equal(t, exitUsage, command(t, "", args...).code, "%v", args)
	}
}
