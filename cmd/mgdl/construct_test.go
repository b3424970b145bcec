package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/multigrade/multigrade/mgdl/construct"
)

// constructed is what scripts read.
type constructed struct {
	Dim        int     `json:"dim"`
	Width      int     `json:"width"`
	Grades     int     `json:"grades"`
	Hats       int     `json:"hats"`
	Bound      float64 `json:"bound"`
	Float64    float64 `json:"bound_float64"`
	Sup        float64 `json:"sup_sampled"`
	Violations int     `json:"monotone_violations"`
	Certified  bool    `json:"certified"`
}

func constructJSON(t *testing.T, args ...string) constructed {
	t.Helper()
	var c constructed
	r := mustRun(t, append([]string{"construct", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(r.stdout), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// Each function of the list: its bound holds at a million random points, at which no hat raises the error.
func TestGallery(t *testing.T) {
	samples := "1000000"
	if testing.Short() {
		samples = "20000"
	}
	dims := map[int]int{}
	for _, g := range gallery() {
		c := constructJSON(t, g.Name, "--samples", samples)
		dims[c.Dim]++
		if !c.Certified || c.Violations != 0 || !(c.Sup <= c.Float64) || !(c.Bound <= g.Eps) || !(c.Bound > c.Float64) || c.Hats < 100 || c.Dim != g.Dim {
			t.Errorf("%s: %+v, eps %v", g.Name, c, g.Eps)
		}
		if c.Sup < c.Bound/4 {
			t.Errorf("%s: the bound %v is far from the error %v", g.Name, c.Bound, c.Sup)
		}
	}
	if dims[1] < 3 || dims[2] < 3 || dims[3] < 3 || len(gallery()) < 10 {
		t.Errorf("functions by dimension: %v", dims)
	}
	list := mustRun(t, "construct", "--list").stdout
	for _, g := range gallery() {
		if !strings.Contains(list, g.Name) || !strings.Contains(list, g.certificateText()) {
			t.Errorf("--list does not show %s", g.Name)
		}
	}
	var back []claim
	if err := json.Unmarshal([]byte(mustRun(t, "construct", "--list", "--json").stdout), &back); err != nil || len(back) != len(gallery()) {
		t.Error(err)
	}
}

// With half of what is true of them, no function of the list is certified.
func TestGalleryNeedsItsCertificates(t *testing.T) {
	for _, g := range gallery() {
		args := []string{"construct", g.Formula, "--eps", fmt.Sprint(g.Eps), "--samples", "20000"}
		if g.Curvature > 0 {
			args = append(args, "--curvature", fmt.Sprint(g.Curvature/2))
		}
		if g.Lipschitz > 0 {
			args = append(args, "--lipschitz", fmt.Sprint(g.Lipschitz/2))
		}
		if g.Modulus != "" {
			args = append(args, "--modulus", "("+g.Modulus+")/2")
		}
		if g.Min != nil {
			args = append(args, "--min", fmt.Sprint(*g.Min))
		}
		r := command(t, "", args...)
		if r.code != exitData || r.stdout != "" || !strings.Contains(r.stderr, "is wrong: ") {
			t.Errorf("%s: exit code %d, %s%s", g.Name, r.code, r.stdout, r.stderr)
		}
	}
}

// What construct writes is a model: verify, inspect, predict and eval take it, and its predictions keep the bound.
func TestConstructedModel(t *testing.T) {
	dir := t.TempDir()
	path, page, sparse := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "m.html"), filepath.Join(dir, "m.hats")
	c := constructJSON(t, "waves", "-o", path, "--report", page, "--hats-per-grade", "8", "--samples", "1000")
	mustRun(t, "verify", path)
	text := mustRun(t, "inspect", path).stdout
	for _, want := range []string{"regression", "function sin(2*pi*x) + 0.5*sin(6*pi*x); certificate --curvature 217.14 --min -1.5", "bound 5.6", "relu 17-9", " each"} {
		if !strings.Contains(text, want) {
			t.Errorf("inspect does not show %q:\n%s", want, text)
		}
	}
	if lines := strings.Count(text, "\n"); c.Grades < 150 || lines > 40 {
		t.Errorf("inspect shows %d grades in %d lines", c.Grades, lines)
	}
	if c.Width != 17 {
		t.Errorf("width %d", c.Width)
	}
	m := readTestModel(t, path)
	if len(m.Grades()) != c.Grades {
		t.Errorf("%d grades, want %d", len(m.Grades()), c.Grades)
	}
	var table strings.Builder
	table.WriteString("x,f\n")
	p := m.NewPredictor()
	for i := range 500 {
		x := float64(i) / 499
		f := math.Sin(2*math.Pi*x) + 0.5*math.Sin(6*math.Pi*x)
		fmt.Fprintf(&table, "%v,%v\n", x, f)
		if d := math.Abs(p.Predict(nil, []float64{x})[0] - f); d > c.Bound {
			t.Errorf("the error at %v is %v, the bound %v", x, d, c.Bound)
		}
	}
	data := write(t, dir, "data.csv", table.String())
	if r := mustRun(t, "eval", path, data); !strings.Contains(r.stdout, fmt.Sprint(c.Grades)) {
		t.Error(r.stdout)
	}
	mustRun(t, "predict", path, data)
	if html := string(read(t, page)); !strings.Contains(html, "everywhere on the unit cube") || strings.Contains(html, "NaN") {
		t.Error("the report is not what it should be")
	}

	mustRun(t, "construct", "waves", "-o", sparse, "--samples", "1000")
	file, err := os.Open(sparse)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s, err := construct.ReadScheme(file)
	if err != nil || s.Hats() != c.Hats || !strings.Contains(s.Note(), "sin(2*pi*x)") {
		t.Errorf("the sparse form: %v", err)
	}
}

// The bound that eps asks for is that of float32 predictions, where float32 can keep it.
func TestConstructEps(t *testing.T) {
	for eps, want := range map[string]bool{"1e-4": true, "1.9e-5": true, "1e-6": false} {
		args := []string{"exp(-x)*sin(9*x)", "--curvature", "100", "--min", "-1", "--eps", eps, "--samples", "1000"}
		c := constructJSON(t, args...)
		e, _ := strconv.ParseFloat(eps, 64)
		if c.Float64 > e || (c.Bound <= e) != want {
			t.Errorf("eps %v: %+v", eps, c)
		}
		says := strings.Contains(mustRun(t, append([]string{"construct"}, args...)...).stdout, "float32 keeps it above")
		if says == want {
			t.Errorf("eps %v: says that float32 does not do: %v", eps, says)
		}
	}
}

// A report on each number of dimensions, and of a result that is not certified.
func TestConstructReports(t *testing.T) {
	dir := t.TempDir()
	for i, args := range [][]string{{"kinks"}, {"cone", "--eps", "0.2"}, {"product", "--eps", "0.2"}, {"sin(9*x)", "--mode", "interpolate"}} {
		page := filepath.Join(dir, fmt.Sprint(i)+".html")
		mustRun(t, append([]string{"construct", "--samples", "1000", "--report", page}, args...)...)
		html := string(read(t, page))
		if strings.Count(html, "<svg") < 3 || strings.Contains(html, "NaN") || strings.Contains(html, "http") {
			t.Errorf("%v: the report is not what it should be", args)
		}
		if empirical := i == 3; strings.Contains(html, "empirical") != empirical {
			t.Errorf("%v: says empirical: %v", args, !empirical)
		}
	}
}

func TestConstructEmpirical(t *testing.T) {
	for _, f := range []string{"sin(9*x)", "abs(x - 0.3)", "sqrt(x)", "exp(x1*x2)", "max(x1, x2)", "x1*x2*x3", "0*x", "7"} {
		r := mustRun(t, "construct", f, "--eps", "0.1", "--samples", "2000")
		if !strings.Contains(r.stdout, "empirical: ") || strings.Contains(r.stdout, "certified") || strings.Contains(r.stdout, "error at most") {
			t.Errorf("%s: %s", f, r.stdout)
		}
		c := constructJSON(t, f, "--eps", "0.1", "--samples", "2000")
		if c.Certified || c.Sup > c.Bound {
			t.Errorf("%s: %+v", f, c)
		}
	}
	// What is given beside is used, but vouches for nothing alone.
	if constructJSON(t, "sin(9*x)", "--eps", "0.1", "--min", "-1").Certified {
		t.Error("a lower bound alone is no certificate")
	}
}

func TestConstructErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "FUNCTION is missing", nil},
		{exitUsage, `"y" is not known`, []string{"y"}},
		{exitUsage, "column 5", []string{"x + y"}},
		{exitUsage, "--dim 1: the formula has the variable x2", []string{"x1+x2", "--dim", "1"}},
		{exitUsage, "--dim 2: waves has 1 dimension", []string{"waves", "--dim", "2"}},
		{exitUsage, "the dimension is 9", []string{"x", "--dim", "9", "--lipschitz", "1"}},
		{exitUsage, "--eps 0: want a positive number", []string{"x", "--eps", "0"}},
		{exitUsage, "--mode nice", []string{"x", "--mode", "nice"}},
		{exitUsage, "--modulus", []string{"x", "--modulus", "sqrt(x)"}},
		{exitUsage, "positive numbers", []string{"x", "--samples", "0"}},
		{exitUsage, "needs a lower or upper bound", []string{"x^2", "--curvature", "2"}},
		{exitUsage, "the Lipschitz bound is -1", []string{"x", "--lipschitz", "-1"}},
		{exitUsage, "there is no folder", []string{"x", "-o", filepath.Join(dir, "no", "m")}},
		{exitUsage, "the same file", []string{"x", "-o", filepath.Join(dir, "m"), "--report", filepath.Join(dir, "m")}},
		{exitUsage, "f(0) is +Inf", []string{"1/x", "--lipschitz", "1"}},
		{exitFailed, "a larger --eps", []string{"x", "--lipschitz", "1", "--eps", "1e-9"}},
		{exitFailed, "-o FILE.hats writes it", []string{"saddle", "--hats-per-grade", "1", "--samples", "10", "-o", filepath.Join(dir, "m.safetensors")}},
		{exitData, "the Lipschitz bound 1 is wrong: f(", []string{"2*x", "--lipschitz", "1"}},
		{exitData, "lower bound 0.5 is wrong", []string{"x^2", "--curvature", "2", "--min", "0.5"}},
		{exitData, "the certificate is wrong: at 0.3", []string{"max(0, 1 - 1000*abs(x - 0.3001))", "--lipschitz", "1", "--eps", "0.1"}},
	} {
		r := command(t, "", append([]string{"construct"}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.stderr, c.want) || r.stdout != "" {
			t.Errorf("construct %v: exit code %d, want %d: %s%s", c.args, r.code, c.code, r.stdout, r.stderr)
		}
	}
	if left := listing(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, log strings.Builder
	if code := run(ctx, []string{"construct", "waves"}, strings.NewReader(""), &out, &log); code != exitInterrupted {
		t.Errorf("exit code %d after an interrupt: %s", code, log.String())
	}
}
