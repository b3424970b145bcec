package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl"
)

// TestTrainText follows a newcomer: one command, no other flag than the target.
func TestTrainText(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, "houses.csv", houses(400))
	r := mustRun(t, quick("houses.csv", "--target", "price", "--grades", "2")...)
	for _, want := range []string{
		"houses.csv: 400 rows\n",
		"target    price, a number: regression\n",
		"inputs    2 numbers, 1 category\n",
		"missing   8 cells (area 8)\n",
		"split     350 to learn from, 50 to validate on, others for each network\n",
		"wrote houses.safetensors (",
		"\nnext:\n  mgdl predict houses.safetensors houses.csv\n  mgdl report houses.safetensors houses.csv -o houses.html\n",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, r.stdout)
		}
	}
	grade := regexp.MustCompile(`(?m)^grade \d  (linear|relu 8-8 x 2 +[0-9]+ epochs) +validation error [0-9.,e+-]+ +[0-9.]+ % left +[0-9.]+ s`)
	m := readTestModel(t, "houses.safetensors")
	if n := len(grade.FindAllString(r.stdout, -1)); n < len(m.Grades()) {
		t.Errorf("%d lines of grades for a model of %d:\n%s", n, len(m.Grades()), r.stdout)
	}
	if !regexp.MustCompile(`(?m)^best: grade ` + strconv.Itoa(len(m.Grades())) + ` of \d \(validation error `).MatchString(r.stdout) {
		t.Errorf("no line says which grade is best:\n%s", r.stdout)
	}
	for line := range strings.Lines(r.stderr) {
		if !strings.HasPrefix(line, "training grade ") {
			t.Errorf("unexpected line on stderr: %q", line)
		}
	}
	if files := listing(t, dir); !slices.Equal(files, []string{"houses.csv", "houses.safetensors"}) {
		t.Errorf("files %v", files)
	}
	mustRun(t, "predict", "houses.safetensors", "houses.csv")
	mustRun(t, "report", "houses.safetensors", "houses.csv", "-o", "houses.html")
	mustRun(t, "verify", "houses.safetensors")
}

// TestTrainJSON reads what programs read.
func TestTrainJSON(t *testing.T) {
	for _, data := range []string{"demo:diabetes", "demo:iris"} {
		dir := t.TempDir()
		model, page := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "m.html")
		r := mustRun(t, quick(data, "-o", model, "--grades", "2", "--report", page, "--json")...)
		events := lines(t, r.stdout)
		m := readTestModel(t, model)
		grades := m.Grades()
		accepted := 0
		for i, e := range events[:len(events)-1] {
			if n, ok := e["grade"].(float64); e["event"] != "grade" || !ok || n < 1 || n > float64(i+1) {
				t.Errorf("event %d is %v", i, e)
			}
			if e["accepted"] == true {
				g := grades[accepted]
				if e["train_loss"] != g.TrainLoss || e["val_loss"] != g.ValLoss || e["kind"] != g.Kind {
					t.Errorf("event %v differs from the model's grade %+v", e, g)
				}
				accepted++
			}
			if s, ok := e["seconds"].(float64); !ok || s < 0 {
				t.Errorf("seconds is %v", e["seconds"])
			}
		}
		done := events[len(events)-1]
		if done["event"] != "done" || done["model"] != model || done["grades"] != float64(len(grades)) || done["checksum"] != m.Checksum() {
			t.Errorf("the last event is %v, the model has %d grades and checksum %s", done, len(grades), m.Checksum())
		}
		if accepted < len(grades) {
			t.Errorf("%d grades accepted, the model has %d", accepted, len(grades))
		}
		if html := string(read(t, page)); !strings.Contains(html, "<html") || !strings.Contains(html, "mgdl train "+data) {
			t.Errorf("the report lacks its command")
		}
	}
}

// TestSameBytes trains the same in all ways that must not matter: path, standard input,
// workers, kernels, process.
func TestSameBytes(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	data := houses(300)
	want := read(t, quickModel(t, write(t, dir, "houses.csv", data)))
	check := func(what, path string) {
		t.Helper()
		if !bytes.Equal(read(t, path), want) {
			t.Errorf("%s: another model", what)
		}
	}
	check("other path", quickModel(t, write(t, t.TempDir(), "other.csv", data)))
	for _, w := range []string{"1", "2", "3"} {
		check(w+" workers", quickModel(t, "houses.csv", "--workers", w))
	}
	if r := command(t, data, quick("-", "--grades", "2")...); r.code != exitDone {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	check("standard input", "model.safetensors")
	other := read(t, quickModel(t, "houses.csv", "--seed", "2"))
	if bytes.Equal(other, want) {
		t.Errorf("seed 2 gives the model of seed 1")
	}
	for _, k := range kernel.Available() {
		path := filepath.Join(dir, k.Name()+".safetensors")
		cmd := process(t, quick("houses.csv", "--grades", "2", "-o", path)...)
		cmd.Env = append(cmd.Env, "MGDL_KERNEL="+k.Name())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", k.Name(), err, out)
		}
		check(k.Name(), path)
	}
}

// interruptAt trains until text has been written and interrupts it there.
func interruptAt(t *testing.T, text string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stdout := &cancelAfter{text: text, cancel: cancel}
	stderr := &cancelAfter{text: text, cancel: cancel}
	code := run(ctx, args, strings.NewReader(""), stdout, stderr)
	return result{code, stdout.String(), stderr.String()}
}

// firstNetwork is how the JSON line of the first network grade that was accepted begins.
const firstNetwork = `"kind":"relu"`

func TestInterruptAndResume(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, "houses.csv", houses(300))
	write(t, dir, "val.csv", houses(80))
	for _, more := range [][]string{nil, {"--val-data", "val.csv"}, {"--report", "r.html", "--seed", "5"}} {
		args := quick(append([]string{"houses.csv", "--target", "price", "--grades", "3", "--json"}, more...)...)
		mustRun(t, append(args, "-o", "whole.safetensors")...)
		os.Remove("r.html")
		before := listing(t, dir)

		r := interruptAt(t, firstNetwork, args...)
		if r.code != exitInterrupted {
			t.Fatalf("exit code %d, want %d: %s", r.code, exitInterrupted, r.stderr)
		}
		if !regexp.MustCompile(`(?m)^mgdl: interrupted: checkpoint at grade \d; continue with: mgdl train --resume houses\.ckpt$`).MatchString(r.stderr) {
			t.Errorf("stderr does not say how to go on: %q", r.stderr)
		}
		if files := listing(t, dir); !slices.Equal(files, sorted(append(slices.Clone(before), "houses.ckpt"))) {
			t.Errorf("files %v after the interrupt, %v before", files, before)
		}
		mustRun(t, "inspect", "houses.ckpt")

		t.Run("refused", func(t *testing.T) {
			refuse := func(code int, want string, args ...string) {
				t.Helper()
				r := command(t, "", append([]string{"train", "--resume", "houses.ckpt"}, args...)...)
				if r.code != code || !strings.Contains(r.stderr, want) || strings.Count(r.stderr, "\n") != 1 {
					t.Errorf("%v: exit code %d, %q, want %d, %q", args, r.code, r.stderr, code, want)
				}
			}
			refuse(exitUsage, "--hidden is 16 here but 8,8 in houses.ckpt", "--hidden", "16")
			refuse(exitUsage, "--batch is 7 here but the default in houses.ckpt", "--batch", "7")
			refuse(exitData, "demo:iris: not the data that houses.ckpt was made from", "demo:iris")
			text := read(t, "houses.csv")
			write(t, dir, "houses.csv", strings.Replace(string(text), "Kiel", "Köln", 1))
			refuse(exitData, "bytes then", "--hidden", "8,8")
			write(t, dir, "houses.csv", string(text))
		})

		// From another folder, with nothing but the checkpoint, and interrupted again.
		t.Chdir(t.TempDir())
		ckpt := filepath.Join(dir, "houses.ckpt")
		r = interruptAt(t, firstNetwork, "train", "--resume", ckpt, "--json", "--workers", "1")
		if r.code != exitInterrupted || !strings.Contains(r.stderr, "--resume "+ckpt) {
			t.Fatalf("exit code %d, %q, want another checkpoint at %s", r.code, r.stderr, ckpt)
		}
		mustRun(t, "train", "--resume", ckpt)
		t.Chdir(dir)
		if !bytes.Equal(read(t, "houses.safetensors"), read(t, "whole.safetensors")) {
			t.Errorf("%v: the resumed run gives another model than the whole one", more)
		}
		if slices.Contains(more, "--report") {
			read(t, "r.html")
			os.Remove("r.html")
		}
		os.Remove("houses.safetensors")
		if files := listing(t, dir); !slices.Equal(files, before) {
			t.Errorf("files %v after the run, %v before", files, before)
		}
	}
}

// TestInterruptAnywhere interrupts where different things are finished, and expects the
// same bytes in the end.
func TestInterruptAnywhere(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, data := range []string{"demo:iris", "demo:diabetes"} {
		args := quick(data, "--grades", "3", "--json")
		whole := read(t, quickModel(t, data, "--grades", "3"))
		for _, at := range []string{"training grade 1", "training grade 2", "training grade 3", "training grade 4", `"kind":"linear"`, `"kind":"relu"`} {
			r := interruptAt(t, at, append(args, "-o", "m.safetensors")...)
			switch {
			case r.code == exitDone && !strings.Contains(r.stdout+r.stderr, at):
				os.Remove("m.safetensors")
				continue // there is no such place in this run
			case r.code != exitInterrupted:
				t.Fatalf("%s at %q: exit code %d, %s", data, at, r.code, r.stderr)
			}
			if _, err := os.Stat("m.ckpt"); err != nil {
				if !strings.Contains(r.stderr, "nothing to save") {
					t.Errorf("%s at %q: no checkpoint, %q", data, at, r.stderr)
				}
				continue
			}
			mustRun(t, "train", "--resume", "m.ckpt")
			if !bytes.Equal(read(t, "m.safetensors"), whole) {
				t.Errorf("%s at %q: the resumed run gives another model than the whole one", data, at)
			}
			os.Remove("m.safetensors")
		}
	}
	if files := listing(t, "."); len(files) > 0 {
		t.Errorf("files %v", files)
	}
}

func sorted(list []string) []string { slices.Sort(list); return list }

func TestInterruptBeforeTheFirstGrade(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, quick("demo:chirp", "--json"), strings.NewReader(""), &stdout, &stderr)
	if code != exitInterrupted || !strings.HasSuffix(stderr.String(), "mgdl: interrupted before training began: nothing to save\n") {
		t.Errorf("exit code %d, %q", code, &stderr)
	}
	if stdout.Len() > 0 {
		t.Errorf("stdout %q", &stdout)
	}
	if files := listing(t, "."); len(files) > 0 {
		t.Errorf("files %v", files)
	}
}

// TestCheckpointFlag finds the checkpoint while the run goes on, and not after it.
func TestCheckpointFlag(t *testing.T) {
	t.Chdir(t.TempDir())
	seen := false
	stdout := &cancelAfter{text: `"accepted":true}` + "\n", cancel: func() {
		if _, err := os.Stat("c.ckpt"); err == nil {
			seen = true
			readTestModel(t, "c.ckpt")
		}
	}}
	var stderr bytes.Buffer
	code := run(t.Context(), quick("demo:chirp", "--json", "--grades", "3", "--checkpoint", "c.ckpt"), strings.NewReader(""), stdout, &stderr)
	if code != exitDone || !seen {
		t.Errorf("exit code %d, checkpoint seen: %v; %s", code, seen, &stderr)
	}
	if files := listing(t, "."); !slices.Equal(files, []string{"chirp.safetensors"}) {
		t.Errorf("files %v", files)
	}
	if meta := readTestModel(t, "chirp.safetensors").Meta(recordKey); meta != "" {
		t.Errorf("the model carries the record of a checkpoint: %s", meta)
	}
}

// TestResumeFromStdin continues a run whose data came from standard input.
func TestResumeFromStdin(t *testing.T) {
	t.Chdir(t.TempDir())
	data := houses(300)
	args := quick("-", "--grades", "2", "--json")
	if r := command(t, data, append(args, "-o", "whole.safetensors")...); r.code != exitDone {
		t.Fatal(r.stderr)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stderr bytes.Buffer
	code := run(ctx, args, strings.NewReader(data), &cancelAfter{text: firstNetwork, cancel: cancel}, &stderr)
	if code != exitInterrupted || !strings.HasSuffix(stderr.String(), "mgdl train --resume model.ckpt < DATA\n") {
		t.Fatalf("exit code %d, %q", code, &stderr)
	}
	if r := command(t, data, "train", "--resume", "model.ckpt"); r.code != exitDone {
		t.Fatal(r.stderr)
	}
	if !bytes.Equal(read(t, "model.safetensors"), read(t, "whole.safetensors")) {
		t.Errorf("the resumed run gives another model than the whole one")
	}
}

// TestSignal interrupts a process as Ctrl-C does and resumes it.
func TestSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be sent an interrupt on Windows")
	}
	dir := t.TempDir()
	for epochs := 20; ; epochs *= 2 {
		args := []string{"train", "demo:chirp", "--json", "--grades", "3", "--chains", "2", "--epochs", strconv.Itoa(epochs)}
		cmd := process(t, append(args, "-o", "m.safetensors")...)
		cmd.Dir = dir
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var seen bytes.Buffer
		buffer := make([]byte, 4096)
		for !strings.Contains(seen.String(), firstNetwork) {
			n, err := stdout.Read(buffer)
			if err != nil {
				t.Fatalf("%v: %s", err, &stderr)
			}
			seen.Write(buffer[:n])
		}
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		code := cmd.ProcessState.ExitCode()
		if code == exitDone && epochs < 10000 {
			continue // it was done before the signal came
		}
		if code != exitInterrupted || !strings.HasSuffix(stderr.String(), "continue with: mgdl train --resume m.ckpt\n") {
			t.Fatalf("exit code %d, %q", code, &stderr)
		}
		t.Chdir(dir)
		mustRun(t, "train", "--resume", "m.ckpt")
		mustRun(t, append(args, "-o", "whole.safetensors")...)
		if !bytes.Equal(read(t, "m.safetensors"), read(t, "whole.safetensors")) {
			t.Errorf("the resumed run gives another model than the whole one")
		}
		return
	}
}

// TestKill kills processes that replace a model, at random moments: there is always the
// old model or the new one, and nothing that looks like a model and is none.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.safetensors")
	args := []string{"train", "demo:iris", "--grades", "2", "--chains", "2", "--hidden", "8,8", "--epochs", "4", "--seed", "2",
		"--checkpoint", filepath.Join(dir, "m.ckpt"), "-o"}
	begin := time.Now()
	whole := process(t, append(args, path)...)
	if out, err := whole.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	length := time.Since(begin)
	after := read(t, path)
	before := read(t, quickModel(t, "demo:iris"))

	kills, finished := 0, 0
	for range 20 {
		if err := os.WriteFile(path, before, 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := process(t, append(args, path)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(length) * 5 / 4)))
		cmd.Process.Kill()
		if cmd.Wait() == nil {
			finished++
		} else {
			kills++
		}
		if now := read(t, path); !bytes.Equal(now, before) && !bytes.Equal(now, after) {
			t.Fatalf("after a kill the model is neither the old nor the new one (%d bytes, old %d, new %d)", len(now), len(before), len(after))
		}
		for _, name := range listing(t, dir) {
			if strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".ckpt") {
				readTestModel(t, filepath.Join(dir, name))
			}
		}
	}
	t.Logf("%d runs were killed, %d had finished", kills, finished)
}

// TestKillAndResume kills processes at random moments, each of which continues where the one
// before it was killed: the last one writes the model of an uninterrupted run.
func TestKillAndResume(t *testing.T) {
	t.Chdir(t.TempDir())
	args := []string{"train", "demo:diabetes", "--grades", "2", "--chains", "2", "--hidden", "16,8", "--epochs", "150", "--seed", "2"}
	begin := time.Now()
	whole := process(t, append(args, "-o", "whole.safetensors")...)
	if out, err := whole.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	length := time.Since(begin)
	args = append(args, "-o", "m.safetensors", "--checkpoint", "m.ckpt", "--checkpoint-every", "1ms")
	kills, resumed := 0, 0
	for try := 0; ; try++ {
		if _, err := os.Stat("m.ckpt"); err == nil {
			readTestModel(t, "m.ckpt")
			args = []string{"train", "--resume", "m.ckpt", "--checkpoint-every", "1ms"}
			resumed++
		}
		cmd := process(t, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if try < 25 {
			time.AfterFunc(length/4+time.Duration(rand.Int64N(int64(length)/2)), func() { cmd.Process.Kill() })
		}
		if cmd.Wait() == nil {
			break
		}
		if cmd.ProcessState.ExitCode() >= 0 {
			t.Fatalf("it failed by itself: %s", &stderr)
		}
		if kills++; try > 25 {
			t.Fatal("it never ends")
		}
	}
	if !bytes.Equal(read(t, "m.safetensors"), read(t, "whole.safetensors")) {
		t.Errorf("after %d kills the model is another one", kills)
	}
	if files := listing(t, "."); kills > 0 && slices.Contains(files, "m.ckpt") {
		t.Errorf("files %v", files)
	}
	t.Logf("%d processes were killed, %d went on from a checkpoint", kills, resumed)
}

// TestActivation trains sine grades, and remembers it.
func TestActivation(t *testing.T) {
	t.Chdir(t.TempDir())
	r := mustRun(t, quick("demo:chirp", "--activation", "sin", "--grades", "1", "--json", "-o", "m.safetensors")...)
	if !strings.Contains(r.stdout, `"kind":"sin"`) {
		t.Errorf("no sine grade: %s", r.stdout)
	}
	if g := readTestModel(t, "m.safetensors").Grades(); g[len(g)-1].Kind != "sin" {
		t.Errorf("the last grade is %v", g[len(g)-1])
	}
	if r := command(t, "", quick("demo:chirp", "--activation", "tanh")...); r.code != exitUsage || !strings.Contains(r.stderr, "want relu or sin") {
		t.Errorf("exit code %d, %q", r.code, r.stderr)
	}
}

// TestDiverged keeps the grades before the one that diverges.
func TestDiverged(t *testing.T) {
	t.Chdir(t.TempDir())
	r := command(t, "", quick("demo:iris", "--grades", "3", "--lr", "1000", "-o", "m.safetensors")...)
	if r.code == exitDone {
		t.Skip("it did not diverge")
	}
	if r.code != exitFailed || !strings.Contains(r.stderr, "diverged") {
		t.Fatalf("exit code %d, %q", r.code, r.stderr)
	}
	if strings.Contains(r.stderr, "m.ckpt") {
		mustRun(t, "eval", "m.ckpt", "demo:iris")
	}
	if _, err := os.Stat("m.safetensors"); err == nil {
		t.Error("a model is written")
	}
}

// TestTerminateWhileReading checks that a process that waits for standard input ends by
// the first signal and leaves nothing behind.
func TestTerminateWhileReading(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be sent an interrupt on Windows")
	}
	model := quickModel(t, "demo:iris")
	dir := t.TempDir()
	for _, args := range [][]string{{"train", "-"}, {"predict", model, "-"}, {"predict", model, "-", "-o", "out.csv"}} {
		cmd := process(t, args...)
		cmd.Dir = dir
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond) // most runs have come to the read by now; all must end
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		in.Close()
		if files := listing(t, dir); len(files) > 0 {
			t.Errorf("mgdl %v left %v", args, files)
		}
	}
}

// TestShort checks how numbers and commands are written.
func TestShort(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 1: "1", 0.123456: "0.1235", 12345.6: "12,346", -1234567: "-1,234,567", 1e-9: "1e-09", 1e20: "1e+20", 999.96: "1000",
	} {
		if got := short(x); got != want {
			t.Errorf("short(%v) = %q, want %q", x, got, want)
		}
	}
	if b, err := json.Marshal([]number{1.5, number(math.NaN()), number(math.Inf(1))}); err != nil || string(b) != "[1.5,null,null]" {
		t.Errorf("numbers as JSON: %s, %v", b, err)
	}
	if got := shellCommand("mgdl", "train", "my house's.csv", "--target", "a,b"); got != `mgdl train 'my house'\''s.csv' --target a,b` {
		t.Errorf("shellCommand gives %s", got)
	}
}

func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo takes minutes where the CPU is emulated")
	}
	dir := filepath.Join(t.TempDir(), "new")
	r := mustRun(t, "demo", "-o", dir)
	if files := listing(t, dir); !slices.Equal(files, []string{"demo.html", "demo.safetensors"}) {
		t.Errorf("files %v", files)
	}
	model := filepath.Join(dir, "demo.safetensors")
	m := readTestModel(t, model)
	for _, want := range []string{"grade 1 ", "best: grade", "next:\n  mgdl predict"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, r.stdout)
		}
	}
	grades := m.Grades()
	if len(grades) < 2 {
		t.Fatalf("the demo keeps %d grades: it shows nothing of what grades are for", len(grades))
	}
	var metrics []mgdl.Metrics
	d, _, err := table{path: "demo:chirp"}.readFor(m.Schema(), true)
	if err == nil {
		metrics, err = m.Evaluate(d)
	}
	if err != nil {
		t.Fatal(err)
	}
	if last := metrics[len(metrics)-1]; last.RMSE > 0.03 {
		t.Errorf("the demo's model has an error of %.3f, three times the noise", last.RMSE)
	}
	if r := mustRun(t, "verify", model); r.stdout != "ok "+m.Checksum()+"\n" {
		t.Errorf("verify prints %q", r.stdout)
	}
}
