//go:build !js

package main

import (
	"context"
	"fmt"
	"html"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBrowser opens the page in headless Chromium and compares what WebAssembly predicts
// after every grade, bit for bit, with this machine.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("builds for wasm and starts a browser")
	}
	chromium := browser(t)
	dir := t.TempDir()
	require.NoError(t, assemble(dir))
	for _, name := range []string{"v1_regression", "v1_classification"} { // every kind of column
		file, err := os.ReadFile("../../mgdl/testdata/" + name + ".safetensors")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".safetensors"), file, 0o644))
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	for _, c := range []struct {
		model string
		x     []float64
		grade int
	}{
		{"chirp", []float64{0.7071067811865476}, 2},
		{"diabetes", []float64{0.01, -0.04, 0.06, 0.02, -0.04, -0.03, -0.02, 0, 0.02, -0.01}, 1},
		{"iris", []float64{5.1, 2.7, 4.25, 1.3}, 1},
		{"v1_regression", []float64{-1e30, 2, 3, 1, 0.1}, 3},
		{"v1_classification", []float64{1.0 / 3, 1, 3, 0, -20}, 0},
	} {
		row := strings.ReplaceAll(strings.Trim(fmt.Sprint(c.x), "[]"), " ", ",")
		address := server.URL + "/?" + url.Values{"model": {c.model}, "grade": {fmt.Sprint(c.grade)}, "x": {row}}.Encode()
		page := dump(t, chromium, address)
		file, err := os.ReadFile(filepath.Join(dir, c.model+".safetensors"))
		require.NoError(t, err)
		v, err := open(file)
		require.NoError(t, err)
		y := v.predict(c.x)
		var want []string // of each grade
		for row := range slices.Chunk(y, len(y)/len(v.page.Grades)) {
			var bits []string
			for _, value := range row {
				bits = append(bits, fmt.Sprintf("%016x", math.Float64bits(value)))
			}
			want = append(want, strings.Join(bits, " "))
		}
		var got []string
		for _, m := range regexp.MustCompile(`<tr[^>]* data-bits="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			got = append(got, m[1])
		}
		require.Equal(t, want, got, address)
		chosen := regexp.MustCompile(`<tr class="chosen" data-bits="([^"]*)"`).FindStringSubmatch(page)
		require.NotNil(t, chosen, address)
		require.Equal(t, want[c.grade], chosen[1], "%s shows another grade", address)
	}
	page := dump(t, chromium, server.URL+"/?model=absent")
	require.Contains(t, html.UnescapeString(page), "there is no model absent")
}

// browser finds Chromium. Where there is none the test skips, unless MGDL_REQUIRE_TOOLS
// promises it.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if slices.Contains(strings.Split(os.Getenv("MGDL_REQUIRE_TOOLS"), ","), "chromium") {
		t.Fatal("MGDL_REQUIRE_TOOLS promises chromium, and there is none")
	}
	t.Skip("no Chromium (package chromium)")
	return ""
}

// dump returns the document once the page has come to rest. A browser that hangs at its
// start is started again.
func dump(t *testing.T, chromium, address string) string {
	t.Helper()
	var out []byte
	var err error
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
			"--user-data-dir="+t.TempDir(), "--virtual-time-budget=60000", "--dump-dom", address)
		cmd.WaitDelay = time.Second
		out, err = cmd.Output()
		cancel()
		if err == nil && len(out) > 0 {
			break
		}
	}
	require.NoError(t, err)
	return string(out)
}

// TestOpen: what is not a model is an error, and what is one has JSON.
func TestOpen(t *testing.T) {
	_, err := open([]byte("no model"))
	require.Error(t, err)
	for _, name := range []string{"chirp", "diabetes", "iris"} {
		file, err := files.ReadFile("models/" + name + ".safetensors")
		require.NoError(t, err)
		v, err := open(file)
		require.NoError(t, err)
		require.Contains(t, v.describe(), `"task":"`+v.page.Task+`"`)
		require.Len(t, v.predict(make([]float64, 2*len(v.page.Features))), 2*len(v.page.Grades)*v.predictorOutputs())
	}
}

func (v *viewer) predictorOutputs() int {
	if v.page.Task == "classification" {
		return len(v.page.Targets[0].Levels)
	}
	return len(v.page.Targets)
}
