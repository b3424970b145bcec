package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/multigrade/multigrade/mgdl"
)

// asCommand, in the environment of the test binary, makes it the command.
const asCommand = "MGDL_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// A result is what the command left: its exit code and what it wrote.
type result struct {
	code           int
	stdout, stderr string
}

// command runs the command in this process.
func command(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// mustRun is command for one that has to end well.
func mustRun(t *testing.T, args ...string) result {
	t.Helper()
	r := command(t, "", args...)
	if r.code != exitDone {
		t.Fatalf("mgdl %s: exit code %d: %s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r
}

// process makes a command of its own process, with MGDL_KERNEL unset.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no processes on this platform")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(self, "-test.run=^$").Run(); errors.Is(err, syscall.ENOEXEC) {
		t.Skip("this process is emulated and cannot start another one")
	}
	cmd := exec.Command(self, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "MGDL_KERNEL=") })
	cmd.Env = append(cmd.Env, asCommand+"=1")
	return cmd
}

// write makes a file in dir and returns its path.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// read returns the content of a file.
func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// listing names the files in dir.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// houses is a table with numbers, a category, missing cells and a known law.
func houses(rows int) string {
	var b strings.Builder
	b.WriteString("area,rooms,city,price\n")
	for i := range rows {
		area := 40 + i*37%100
		rooms := 1 + i*11%6
		city := []string{"Ulm", "Bonn", "Kiel"}[i*7%3]
		price := 1000*area + 5000*rooms + 20000*len(city)
		cell := fmt.Sprint(area)
		if i%50 == 3 {
			cell = ""
		}
		fmt.Fprintf(&b, "%s,%d,%s,%d\n", cell, rooms, city, price)
	}
	return b.String()
}

// quick are flags for a training that takes a moment.
func quick(args ...string) []string {
	return append([]string{"train"}, append(args, "--hidden", "8,8", "--chains", "2", "--epochs", "6")...)
}

// quickModel trains on the table and returns the path of the model.
func quickModel(t *testing.T, data string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.safetensors")
	mustRun(t, quick(append([]string{data, "--grades", "2", "-o", path}, args...)...)...)
	return path
}

// lines parses JSON lines.
func lines(t *testing.T, text string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(text) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%q is not a line of JSON: %v", line, err)
		}
		list = append(list, v)
	}
	return list
}

func TestHelp(t *testing.T) {
	r := mustRun(t, "--help")
	for _, name := range []string{"demo", "train", "predict", "eval", "inspect", "verify", "report", "kernels", "selftest", "version"} {
		if !strings.Contains(r.stdout, "\n  "+name+" ") {
			t.Errorf("--help does not name the command %s", name)
		}
		if h := mustRun(t, name, "--help"); !strings.Contains(h.stdout, "Usage:\n  mgdl "+name) {
			t.Errorf("%s --help has no usage line", name)
		}
	}
	if plain := mustRun(t); plain.stdout != r.stdout || r.stderr != "" {
		t.Errorf("mgdl without arguments does not print the help")
	}
	if r := mustRun(t, "completion", "bash"); !strings.Contains(r.stdout, "mgdl") {
		t.Errorf("no completion for bash")
	}
	if r := mustRun(t, "version"); !strings.HasPrefix(r.stdout, "mgdl ") {
		t.Errorf("version prints %q", r.stdout)
	}
}

func TestUsageErrors(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	data := write(t, dir, "houses.csv", houses(120))
	model := quickModel(t, data)
	before := listing(t, dir)
	for _, c := range []struct {
		args string
		want string
	}{
		{"trian", `unknown command "trian" (did you mean "train"?); see mgdl --help`},
		{"--nonsense", "unknown flag: --nonsense; see mgdl --help"},
		{"train", "DATA is missing; see mgdl train --help"},
		{"train a.csv b.csv", `unexpected argument "b.csv"; see mgdl train --help`},
		{"train houses.csv --nonsense", "unknown flag: --nonsense; see mgdl train --help"},
		{"train houses.csv --dropout 0.1", "unknown flag: --dropout; see mgdl train --help"},
		{"train houses.csv --task guess", "--task guess: want auto, regress or classify; see mgdl train --help"},
		{"train houses.csv --hidden 8,0", "--hidden 0: a layer needs at least one unit; see mgdl train --help"},
		{"train houses.csv --hidden wide", "see mgdl train --help"},
		{"train houses.csv --epochs -1", "--epochs -1: want a positive number; see mgdl train --help"},
		{"train houses.csv --lr -1", "--lr -1: want a positive number; see mgdl train --help"},
		{"train houses.csv --val 1.5", "--val 1.5: want a share between 0 and 1; see mgdl train --help"},
		{"train houses.csv --val 0.2 --val-data houses.csv", "--val and --val-data: want one of the two; see mgdl train --help"},
		{"train houses.csv --workers 0", "--workers 0: want at least 1; see mgdl train --help"},
		{"train houses.csv --sep ab", "see mgdl train --help"},
		{"train houses.csv -o .", ".: is a directory, want a file name to write to"},
		{"train houses.csv -o no/m.safetensors", "no/m.safetensors: there is no folder no"},
		{"train houses.csv -o houses.csv", "houses.csv: would overwrite the input"},
		{"train houses.csv -o houses.csv/m", "is not a folder"},
		{"train houses.csv --report no/r.html", "no/r.html: there is no folder no"},
		{"train houses.csv -o same --checkpoint same", "same: given for two different files to write"},
		{"train - --val-data -", "DATA and --val-data cannot both be standard input"},
		{"predict", "MODEL is missing; see mgdl predict --help"},
		{"predict m.safetensors", "DATA is missing; see mgdl predict --help"},
		{"predict MODEL houses.csv --grades 7", "--grades 7: the model has 2 grades; see mgdl predict --help"},
		{"predict MODEL houses.csv --budget 0s", "--budget 0s: want a positive time such as 50us; see mgdl predict --help"},
		{"predict MODEL houses.csv -o houses.csv", "houses.csv: would overwrite the input"},
		{"predict MODEL houses.csv -o MODEL", "would overwrite the input"},
		{"eval m", "DATA is missing; see mgdl eval --help"},
		{"inspect", "MODEL is missing; see mgdl inspect --help"},
		{"verify", "MODEL is missing; see mgdl verify --help"},
		{"report m d -o no/x.html", ""},
		{"kernels x", `unexpected argument "x"; see mgdl kernels --help`},
		{"selftest x", `unexpected argument "x"; see mgdl selftest --help`},
		{"demo x", `unexpected argument "x"; see mgdl demo --help`},
		{"demo -o houses.csv", ""},
	} {
		args := strings.Fields(strings.ReplaceAll(c.args, "MODEL", model))
		r := command(t, "", args...)
		want := exitUsage
		if c.want == "" {
			want = r.code // another kind of error; below it must still be a clear one
		}
		if r.code != want || r.code == exitDone || !strings.HasSuffix(r.stderr, c.want+"\n") {
			t.Errorf("mgdl %s: exit code %d, %q, want %d, %q", c.args, r.code, r.stderr, want, c.want)
		}
		if n := strings.Count(r.stderr, "\n"); n != 1 || !strings.HasPrefix(r.stderr, "mgdl: ") || r.stdout != "" {
			t.Errorf("mgdl %s: want one line that begins with mgdl: on stderr and nothing on stdout, got %q and %q", c.args, r.stderr, r.stdout)
		}
		if after := listing(t, dir); !slices.Equal(after, before) {
			t.Fatalf("mgdl %s: files %v, before %v", c.args, after, before)
		}
	}
}

// A writer that fails, as a full disk does.
type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, fmt.Errorf("no space left") }

func TestStdoutFails(t *testing.T) {
	model := quickModel(t, "demo:iris")
	for _, args := range [][]string{{"kernels"}, {"inspect", model}, {"predict", model, "demo:iris"}, {"eval", model, "demo:iris"}} {
		var stderr bytes.Buffer
		if code := run(t.Context(), args, strings.NewReader(""), fullWriter{}, &stderr); code != exitFailed {
			t.Errorf("mgdl %v: exit code %d, want %d", args, code, exitFailed)
		}
		if !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("mgdl %v: %q does not say why", args, &stderr)
		}
	}
}

func TestUnknownKernelIsAnError(t *testing.T) {
	model := quickModel(t, "demo:iris")
	for _, args := range [][]string{
		{"demo"}, {"train", "demo:iris"}, {"predict", model, "demo:iris"}, {"eval", model, "demo:iris"}, {"inspect", model},
		{"verify", model}, {"report", model, "demo:iris"}, {"kernels"}, {"selftest"}, {"version"},
	} {
		cmd := process(t, args...)
		cmd.Dir = t.TempDir()
		cmd.Env = append(cmd.Env, "MGDL_KERNEL=foo")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() != exitUsage || !strings.HasPrefix(stderr.String(), "mgdl: MGDL_KERNEL=foo: not available here (available: ") {
			t.Errorf("mgdl %s: %v, %q", args[0], err, &stderr)
		}
		if files := listing(t, cmd.Dir); len(files) > 0 {
			t.Errorf("mgdl %s wrote %v", args[0], files)
		}
	}
}

func TestKernels(t *testing.T) {
	r := mustRun(t, "kernels", "--json")
	v := lines(t, r.stdout)[0]
	available, ok := v["available"].([]any)
	if !ok || len(available) == 0 || available[len(available)-1] != "generic" {
		t.Errorf("available is %v, want a list that ends with generic", v["available"])
	}
	if _, ok := v["features"].([]any); !ok {
		t.Errorf("features is %v, want a list", v["features"])
	}
	if !slices.Contains(available, v["selected"]) {
		t.Errorf("selected is %v, of %v", v["selected"], available)
	}
	if text := mustRun(t, "kernels"); !strings.Contains(text.stdout, fmt.Sprintf("selected   %v\n", v["selected"])) {
		t.Errorf("kernels prints %q", text.stdout)
	}
}

// readTestModel reads a model file.
func readTestModel(t *testing.T, path string) *mgdl.Model {
	t.Helper()
	m, err := mgdl.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// cancelAfter is a writer that cancels a context once text has been written to it.
type cancelAfter struct {
	bytes.Buffer
	text   string
	cancel context.CancelFunc
}

func (c *cancelAfter) Write(p []byte) (int, error) {
	n, err := c.Buffer.Write(p)
	if strings.Contains(c.String(), c.text) {
		c.cancel()
	}
	return n, err
}
