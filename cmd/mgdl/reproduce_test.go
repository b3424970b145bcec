package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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

func TestReproduceUsage(t *testing.T) {
	for _, args := range [][]string{
		{"reproduce"}, {"reproduce", "s9"}, {"reproduce", "t1", "--fast", "--single"}, {"reproduce", "t1", "--single"}, {"reproduce", "t1", "--workers", "0"},
	} {
		require.Equal(t, exitUsage, command(t, "", args...).code, "%v", args)
	}
}
