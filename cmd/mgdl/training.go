package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/multigrade/multigrade/cmd/mgdl/report"
	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
)

// checkpointEvery is how much work may be lost at most, but for the flag, and how long a run
// may be without a checkpoint that nobody asked for.
const checkpointEvery = 15 * time.Second

// heapGrowth is by how many percent of what is in use the heap may grow before the collector
// runs. A training has few objects, most of them large, so that it runs in milliseconds; with
// the usual 100 a table of gigabytes could have as much garbage beside it.
const heapGrowth = 25

// A training is one run of mgdl train or mgdl demo.
type training struct {
	recipe
	data, valData  table  // valData has no path if rows of data are held out
	output, report string // no report if ""
	checkpoint     string
	keepCheckpoint bool // write it after every grade, not only when it takes long
	every          time.Duration
	workers        int
	asJSON         bool

	resume     *mgdl.Model // nil for a new run
	resumeFrom string      // path of resume
	record     record      // what the next checkpoint says; at first what the last one said

	in       io.Reader
	out, log io.Writer

	begin           time.Time
	clock           gradeClock
	ended           int  // grades tried, accepted or not
	accepted        int  // the last grade that was
	wroteCheckpoint bool // in this run
}

// run reads the data, trains, and writes the model. Nothing is written before training
// has begun, and the model replaces an older file only when it is complete.
func (t *training) run(ctx context.Context) error {
	if err := t.checkPaths(); err != nil {
		return err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(heapGrowth))
	d, holdout, info, err := t.readData()
	if err != nil {
		return err
	}
	text := t.out
	if t.asJSON {
		text = t.log
	}
	t.summary(text, d, holdout, info)

	ctx, stop := interruptible(ctx)
	defer stop()
	t.begin = time.Now()
	t.clock = gradeClock{mark: t.begin}
	m := meter{w: t.log}
	cfg := t.config()
	cfg.Workers = t.workers
	cfg.Holdout = holdout
	cfg.Checkpoint = t.saveCheckpoint
	cfg.CheckpointEvery = t.every
	if t.resume != nil {
		cfg.Resume = t.resume.WithMeta(recordKey, "")
	}
	scale := newScale(d)
	cfg.Progress = func(p mgdl.Progress) {
		if p.Finished == nil {
			t.clock.step()
			m.show(p)
			return
		}
		m.clear()
		t.gradeDone(text, p, scale)
	}
	model, err := mgdl.Train(ctx, d, cfg)
	m.clear()
	switch {
	case errors.Is(err, context.Canceled):
		return t.interrupted(model)
	case errors.Is(err, mgdl.ErrDiverged) && model != nil:
		return t.diverged(model, err)
	case err != nil:
		return trainingError(t.data, err)
	}
	return t.finish(text, model, d, scale)
}

// checkPaths looks at every output before any work is done.
func (t *training) checkPaths() error {
	for _, in := range []table{t.data, t.valData} {
		if in.path != "" {
			if err := in.check(); err != nil {
				return err
			}
		}
	}
	if t.data.isStdin() && t.valData.isStdin() {
		return &failure{exitUsage, errors.New("DATA and --val-data cannot both be standard input")}
	}
	outputs := []string{t.output, t.checkpoint, t.report}
	for i, path := range outputs {
		if path == "" {
			continue
		}
		if err := checkOutput(path, t.data.file(), t.valData.file()); err != nil {
			return err
		}
		for _, other := range outputs[:i] {
			if samePath(path, other) {
				return &failure{exitUsage, fmt.Errorf("%s: given for two different files to write", path)}
			}
		}
	}
	return nil
}

// readData reads the tables and makes the record of this run.
func (t *training) readData() (d mgdl.Data, holdout *mgdl.Data, info dataset.Info, err error) {
	next := record{
		Recipe: t.recipe, Data: t.data.path, ValData: t.valData.path, Output: t.output, Report: t.report,
	}
	if next.Dir, err = os.Getwd(); err != nil {
		return d, nil, info, err
	}
	options := dataset.Options{Target: t.Target, Task: t.Task, Comma: t.data.comma, Drop: t.Drop, Category: t.Category, Packed: true}
	d, info, next.DataSum, err = t.data.load(options)
	if t.resume != nil {
		// Before any fault: other data may well be a table of another form.
		err = cmp.Or(same(t.data, next.DataSum, t.record.DataSum, t.resumeFrom), err)
	}
	if err == nil && t.valData.path != "" {
		holdout = new(mgdl.Data)
		*holdout, next.ValSum, err = t.valData.readFor(d.Schema, true)
	}
	if t.resume != nil {
		err = cmp.Or(same(t.valData, next.ValSum, t.record.ValSum, t.resumeFrom), err)
	}
	t.record = next
	if packed, ok := d.Source.(*dataset.Packed); ok && t.report == "" {
		d.Source = packed.Consume() // nobody reads the rows after the training
	}
	return d, holdout, info, err
}

// saveCheckpoint is called after each finished grade that is not the last, and inside grades
// when it is time.
func (t *training) saveCheckpoint(m *mgdl.Model) error {
	if !t.keepCheckpoint && time.Since(t.begin) < t.every {
		return nil
	}
	return t.writeCheckpoint(m)
}

func (t *training) writeCheckpoint(m *mgdl.Model) error {
	m, err := t.record.attach(m)
	if err == nil {
		err = mgdl.WriteFile(t.checkpoint, m)
	}
	if err != nil {
		return &failure{exitFailed, fmt.Errorf("checkpoint: %w", err)}
	}
	t.wroteCheckpoint = true
	return nil
}

// interrupted saves the finished grades and says how to go on.
func (t *training) interrupted(m *mgdl.Model) error {
	grades := 0
	switch {
	case m != nil && (len(m.Grades()) > 0 || m.Unfinished()):
		grades = len(m.Grades())
		if err := t.writeCheckpoint(m); err != nil {
			return err
		}
	case t.resume != nil:
		grades = len(t.resume.Grades())
		t.checkpoint = t.resumeFrom
	default:
		return &failure{exitInterrupted, errors.New("interrupted before training began: nothing to save")}
	}
	if t.asJSON {
		printJSON(t.out, struct {
			Event      string `json:"event"`
			Checkpoint string `json:"checkpoint"`
			Grades     int    `json:"grades"`
		}{"interrupted", t.checkpoint, grades})
	}
	command := shellCommand("mgdl", "train", "--resume", t.checkpoint)
	if t.data.isStdin() {
		command += " < DATA"
	}
	return &failure{exitInterrupted, fmt.Errorf("interrupted: checkpoint at grade %d; continue with: %s", grades, command)}
}

// diverged saves the grades before the one that diverged.
func (t *training) diverged(m *mgdl.Model, err error) error {
	if saveErr := mgdl.WriteFile(t.checkpoint, m); saveErr != nil {
		return &failure{exitFailed, errors.Join(trainingError(t.data, err), saveErr)}
	}
	return &failure{exitFailed, fmt.Errorf("%w; the model of the %s before is in %s", trainingError(t.data, err),
		count(len(m.Grades()), "grade", "grades"), t.checkpoint)}
}

// trainingError gives an error of mgdl.Train its exit code and the name of its cause.
func trainingError(data table, err error) error {
	var f *failure
	var config *mgdl.ConfigError
	switch {
	case errors.As(err, &f):
		return err
	case errors.As(err, &config):
		return &failure{exitUsage, fmt.Errorf("%s: %s; see mgdl train --help", configFlag(config.Field), config.Reason)}
	case errors.Is(err, mgdl.ErrDiverged):
		return &failure{exitFailed, fmt.Errorf("%w; a smaller --lr may help", err)}
	}
	return dataError("%s: %w", data.name(), err)
}

// finish writes the model and the report, and removes the checkpoint.
func (t *training) finish(text io.Writer, model *mgdl.Model, d mgdl.Data, s scale) error {
	seconds := time.Since(t.begin).Seconds()
	model = model.WithMeta(recordKey, "").
		WithMeta("seed", strconv.FormatUint(t.Seed, 10)).
		WithMeta("rows", strconv.Itoa(d.Rows)).
		WithMeta("data_sha256", t.record.DataSum.SHA256)
	if err := mgdl.WriteFile(t.output, model); err != nil {
		return err
	}
	if t.wroteCheckpoint {
		os.Remove(t.checkpoint)
	}
	if t.resumeFrom != "" {
		os.Remove(t.resumeFrom)
	}

	grades := model.Grades()
	fmt.Fprintln(text)
	if len(grades) == 0 {
		fmt.Fprintf(text, "no grade was better than %s\n", s.priorName())
	} else {
		fmt.Fprintf(text, "best: grade %d of %d (%s)\n", len(grades), max(t.ended, len(grades)), s.describe(grades[len(grades)-1].ValLoss))
	}
	fmt.Fprintf(text, "wrote %s (%s parameters, trained in %s)\n", t.output, grouped(parameters(model)), duration(seconds))
	if t.report != "" {
		if err := t.writeReport(model, d); err != nil {
			return err
		}
		fmt.Fprintf(text, "wrote %s\n", t.report)
	}
	if t.asJSON {
		return printJSON(t.out, struct {
			Event    string  `json:"event"`
			Model    string  `json:"model"`
			Grades   int     `json:"grades"`
			Tried    int     `json:"tried"`
			Seconds  float64 `json:"seconds"`
			Checksum string  `json:"checksum"`
			Report   string  `json:"report,omitempty"`
		}{"done", t.output, len(grades), t.ended, seconds, model.Checksum(), t.report})
	}
	t.nextCommands(text)
	return nil
}

// writeReport writes the HTML report of the model on its data.
func (t *training) writeReport(m *mgdl.Model, d mgdl.Data) error {
	return writeReport(t.report, m, d, report.Options{
		Title: stem(filepath.Base(t.output)), DataName: t.data.name(), ModelPath: t.output, Command: t.command(),
	})
}

// command is the line that makes this model again.
func (t *training) command() string {
	words := append([]string{"mgdl", "train", t.data.path}, t.arguments()...)
	if t.valData.path != "" {
		words = append(words, "--val-data", t.valData.path)
	}
	words = append(words, "-o", t.output)
	if t.report != "" {
		words = append(words, "--report", t.report)
	}
	return shellCommand(words...)
}
