package main

import (
	"bufio"
	"encoding/csv"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/multigrade/multigrade/mgdl"
)

// records parses CSV.
func records(t *testing.T, text string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestPredictRegression(t *testing.T) {
	model := quickModel(t, "demo:diabetes")
	m := readTestModel(t, model)
	d, _, err := table{path: "demo:diabetes"}.readFor(m.Schema(), true)
	if err != nil {
		t.Fatal(err)
	}
	for grades := 0; grades <= len(m.Grades()); grades++ {
		want := m.NewPredictor().PredictGrades(nil, d.X, grades)
		args := []string{"predict", model, "demo:diabetes", "--grades", strconv.Itoa(grades)}
		if grades == len(m.Grades()) {
			args = args[:3]
		}
		rows := records(t, mustRun(t, args...).stdout)
		if len(rows) != d.Rows+1 || !slices.Equal(rows[0], []string{"target"}) {
			t.Fatalf("%d lines, header %v", len(rows), rows[0])
		}
		for i, r := range rows[1:] {
			v, err := strconv.ParseFloat(r[0], 64)
			if err != nil || math.Float64bits(v) != math.Float64bits(want[i]) {
				t.Fatalf("grade %d, row %d: %s, want %v", grades, i, r[0], want[i])
			}
		}
		list := lines(t, mustRun(t, append(args, "--json")...).stdout)
		if len(list) != d.Rows || list[3]["target"] != want[3] {
			t.Errorf("%d lines of JSON, the fourth %v, want %v", len(list), list[3], want[3])
		}
	}
}

func TestPredictClassification(t *testing.T) {
	model := quickModel(t, "demo:iris")
	m := readTestModel(t, model)
	d, _, err := table{path: "demo:iris"}.readFor(m.Schema(), true)
	if err != nil {
		t.Fatal(err)
	}
	want := m.NewPredictor().Predict(nil, d.X)
	rows := records(t, mustRun(t, "predict", model, "demo:iris", "--proba").stdout)
	if !slices.Equal(rows[0], []string{"species", "p(setosa)", "p(versicolor)", "p(virginica)"}) {
		t.Fatalf("header %v", rows[0])
	}
	for i, r := range rows[1:] {
		best := 0
		for c := range 3 {
			p := want[3*i+c]
			if v, err := strconv.ParseFloat(r[c+1], 64); err != nil || v != p {
				t.Fatalf("row %d: %v, want %v", i, r, want[3*i:3*i+3])
			}
			if p > want[3*i+best] {
				best = c
			}
		}
		if label := d.Schema.Targets[0].Levels[best]; r[0] != label {
			t.Fatalf("row %d: %s, want %s", i, r[0], label)
		}
	}
	plain := records(t, mustRun(t, "predict", model, "demo:iris").stdout)
	list := lines(t, mustRun(t, "predict", model, "demo:iris", "--json", "--proba").stdout)
	for i, r := range plain[1:] {
		if r[0] != rows[i+1][0] || len(r) != 1 || list[i]["species"] != r[0] || list[i]["p(virginica)"] != want[3*i+2] {
			t.Fatalf("row %d: %v and %v, want %v", i, r, list[i], rows[i+1])
		}
	}
}

// TestPredictOutput writes to a file: whole, or not at all.
func TestPredictOutput(t *testing.T) {
	dir := t.TempDir()
	model := quickModel(t, write(t, dir, "houses.csv", houses(120)))
	out := write(t, dir, "out.csv", "old")
	bad := write(t, dir, "bad.csv", strings.Replace(houses(3000), "\n77,", "\nwide,", 1))
	if r := command(t, "", "predict", model, bad, "-o", out); r.code != exitData {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
	if got := string(read(t, out)); got != "old" {
		t.Errorf("bad data replaced the file by %q", got)
	}
	if r := command(t, "", "predict", model, bad); r.code != exitData || r.stdout != "" {
		t.Errorf("exit code %d, stdout %q", r.code, r.stdout)
	}
	r := mustRun(t, "predict", model, filepath.Join(dir, "houses.csv"), "-o", out)
	if r.stdout != "" || r.stderr != "" {
		t.Errorf("stdout %q, stderr %q", r.stdout, r.stderr)
	}
	if got, want := string(read(t, out)), mustRun(t, "predict", model, filepath.Join(dir, "houses.csv")).stdout; got != want {
		t.Errorf("the file differs from what stdout gets")
	}
	if files := listing(t, dir); len(files) != 3 {
		t.Errorf("files %v", files)
	}
}

// TestPredictBudget looks at what a time budget changes.
func TestPredictBudget(t *testing.T) {
	model := quickModel(t, "demo:diabetes")
	whole := mustRun(t, "predict", model, "demo:diabetes")
	r := mustRun(t, "predict", model, "demo:diabetes", "--budget", "1h")
	if r.stdout != whole.stdout || r.stderr != "grade "+strconv.Itoa(len(readTestModel(t, model).Grades()))+": 442 rows\n" {
		t.Errorf("an hour for each row is not enough: %s", r.stderr)
	}
	r = mustRun(t, "predict", model, "demo:diabetes", "--budget", "1ns", "--json")
	for _, row := range lines(t, r.stdout) {
		if g, ok := row["grade"].(float64); !ok || g < 1 {
			t.Fatalf("row %v", row)
		}
	}
}

// TestPredictStream expects the answer to a row before the next row is sent, columns in
// any order, and the answers of a file.
func TestPredictStream(t *testing.T) {
	data := houses(120)
	model := quickModel(t, write(t, t.TempDir(), "houses.csv", data))
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(t.Context(), []string{"predict", model, "-"}, inR, outW, io.Discard)
		outW.Close()
	}()
	answers := bufio.NewScanner(outR)
	rows := records(t, data)
	var got strings.Builder
	for _, r := range rows {
		line := strings.Join([]string{r[2], "unused", r[0], r[1]}, ",") + "\n"
		if _, err := inW.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() {
			t.Fatal("the stream ended early")
		}
		got.WriteString(answers.Text() + "\n")
	}
	inW.Close()
	if code := <-ended; code != exitDone {
		t.Errorf("exit code %d", code)
	}
	path := write(t, t.TempDir(), "houses.csv", data)
	want := mustRun(t, "predict", model, path).stdout
	if got.String() != want {
		t.Errorf("the stream gives other answers than the file")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out strings.Builder
	if code := run(t.Context(), []string{"predict", model, "-"}, f, &out, io.Discard); code != exitDone || out.String() != want {
		t.Errorf("a redirected file gives other answers than the file")
	}
}

func TestEval(t *testing.T) {
	for _, data := range []string{"demo:diabetes", "demo:iris"} {
		model := quickModel(t, data)
		m := readTestModel(t, model)
		d, _, err := table{path: data}.readFor(m.Schema(), true)
		if err != nil {
			t.Fatal(err)
		}
		want, err := m.Evaluate(d)
		if err != nil {
			t.Fatal(err)
		}
		v := lines(t, mustRun(t, "eval", model, data, "--json").stdout)[0]
		grades := v["grades"].([]any)
		if v["rows"] != float64(d.Rows) || len(grades) != len(want)-1 {
			t.Fatalf("%v", v)
		}
		for i, e := range append([]any{v["prior"]}, grades...) {
			e := e.(map[string]any)
			ok := e["grade"] == float64(i)
			if m.Schema().Task == mgdl.Classification {
				ok = ok && e["accuracy"] == want[i].Accuracy && e["log_loss"] == want[i].LogLoss
			} else {
				ok = ok && e["rmse"] == want[i].RMSE && e["rse"] == want[i].RSE && e["r2"] == want[i].R2 && e["mae"] == want[i].MAE
			}
			if !ok {
				t.Errorf("%s: %v, want %+v", data, e, want[i])
			}
		}
		if text := mustRun(t, "eval", model, data).stdout; strings.Count(text, "\n") != 3+len(want) || !strings.Contains(text, "prior") {
			t.Errorf("eval prints %q", text)
		}
	}
}

func TestInspect(t *testing.T) {
	model := quickModel(t, write(t, t.TempDir(), "houses.csv", houses(120)))
	m := readTestModel(t, model)
	v := lines(t, mustRun(t, "inspect", model, "--json").stdout)[0]
	if v["checksum"] != m.Checksum() || v["task"] != "regression" || len(v["features"].([]any)) != 3 || len(v["grades"].([]any)) != len(m.Grades()) {
		t.Errorf("inspect --json gives %v", v)
	}
	if meta := v["meta"].(map[string]any); meta["seed"] != "1" || meta["rows"] != "120" || len(meta["data_sha256"].(string)) != 64 {
		t.Errorf("meta %v", meta)
	}
	text := mustRun(t, "inspect", model).stdout
	for _, want := range []string{m.Checksum(), "relu 8-8 x 2", "Bonn, Kiel, Ulm", "target number"} {
		if !strings.Contains(text, want) {
			t.Errorf("inspect lacks %q:\n%s", want, text)
		}
	}
	if r := mustRun(t, "verify", model); r.stdout != "ok "+m.Checksum()+"\n" {
		t.Errorf("verify prints %q", r.stdout)
	}
}
