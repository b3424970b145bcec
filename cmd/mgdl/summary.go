package main

import (
	"fmt"
	"io"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
)

// gradeDone prints the line of a grade that has been accepted or rejected.
func (t *training) gradeDone(text io.Writer, p mgdl.Progress, s scale) {
	g := *p.Finished
	seconds := t.clock.finish(g).Seconds()
	t.ended = max(t.ended, p.Grade)
	epochs := 0.0
	if n := len(g.Curve); n > 0 {
		epochs = g.Curve[n-1].Epoch
	}
	if t.asJSON {
		printJSON(t.out, struct {
			Event     string  `json:"event"`
			Grade     int     `json:"grade"`
			Kind      string  `json:"kind"`
			Hidden    []int   `json:"hidden,omitempty"`
			Networks  int     `json:"networks"`
			Epochs    number  `json:"epochs"`
			TrainLoss number  `json:"train_loss"`
			ValLoss   number  `json:"val_loss"`
			Seconds   float64 `json:"seconds"`
			Accepted  bool    `json:"accepted"`
			*gap
		}{"grade", p.Grade, g.Kind, g.Hidden, g.Networks, number(epochs), number(g.TrainLoss), number(g.ValLoss), seconds, p.Accepted, gapOf(g)})
	}
	passes := ""
	if epochs > 0 {
		passes = fmt.Sprintf("%.0f epochs", epochs)
	}
	if c := g.Certificate; c != nil {
		passes = fmt.Sprintf("gap %.1e", c.Gap)
	}
	verdict := ""
	switch {
	case p.Accepted && p.Grade <= t.accepted:
		verdict = "  accepted in the place of the grades above"
		t.accepted = p.Grade
	case p.Accepted:
		t.accepted = p.Grade
	case len(g.Hidden) == 0 && t.clock.before > 0:
		verdict = "  dropped: a network in its place does better"
	default:
		verdict = "  rejected: no clear gain"
	}
	fmt.Fprintf(text, "grade %d  %-16s %10s   %-28s %6.2f %% left  %8s%s\n", p.Grade, shape(g), passes,
		s.describe(g.ValLoss), 100*g.ValLoss/s.priorLoss, duration(seconds), verdict)
}

// summary says what was read, before training begins.
func (t *training) summary(w io.Writer, d mgdl.Data, holdout *mgdl.Data, info dataset.Info) {
	s := d.Schema
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(w, "%s: %s\n", t.data.name(), count(d.Rows, "row", "rows"))
	names := make([]string, len(s.Targets))
	for i, c := range s.Targets {
		names[i] = c.Name
	}
	task := "a number: regression"
	if s.Task == mgdl.Classification {
		task = fmt.Sprintf("one of %d classes: classification", len(s.Targets[0].Levels))
	} else if len(names) > 1 {
		task = "numbers: regression"
	}
	line("target", "%s, %s", strings.Join(names, ", "), task)
	line("inputs", "%s, %s", count(info.Numbers, "number", "numbers"), count(info.Categories, "category", "categories"))
	line("missing", "%s", missing(info))
	if len(info.Dropped) > 0 {
		line("left out", "%s (one value in all rows)", strings.Join(info.Dropped, ", "))
	}
	for _, n := range info.Notes {
		line("note", "%s", n)
	}
	switch {
	case holdout != nil:
		line("split", "%s to learn from, %s of %s to validate on", grouped(d.Rows), grouped(holdout.Rows), t.valData.name())
	case t.Val > 0:
		line("split", "each network validates on other rows, at most %s of all, and learns from the rest", percent(t.Val))
	default:
		q := heldOut(d.Rows)
		others := ", others for each network"
		if t.Solver == convexSolver {
			others = ""
		}
		line("split", "%s to learn from, %s to validate on%s", grouped(d.Rows-q), grouped(q), others)
	}
	fmt.Fprintln(w)
}

// missing describes the empty cells of a table: how many, and the columns with most.
func missing(info dataset.Info) string {
	if info.MissingCells == 0 {
		return "none"
	}
	var columns []string
	for c := range info.MissingByColumn {
		columns = append(columns, c)
	}
	n := info.MissingByColumn
	sort.Slice(columns, func(i, j int) bool {
		a, b := columns[i], columns[j]
		return n[a] > n[b] || n[a] == n[b] && a < b
	})
	const most = 5
	var parts []string
	for _, c := range columns[:min(most, len(columns))] {
		parts = append(parts, fmt.Sprintf("%s %s", c, grouped(n[c])))
	}
	if len(columns) > most {
		parts = append(parts, fmt.Sprintf("%d more columns", len(columns)-most))
	}
	return fmt.Sprintf("%s (%s)", count(info.MissingCells, "cell", "cells"), strings.Join(parts, ", "))
}

// heldOut returns how many rows each network validates on by default.
func heldOut(rows int) int { return max(1, min(rows/8, 4000)) }

// percent writes a share for people.
func percent(share float64) string { return strconv.FormatFloat(100*share, 'g', 3, 64) + " %" }

// A gradeClock tells how long each grade took. The verdict on a grade without steps, a linear
// one or one of waves, may wait for that on the network after it, so its time ends with the
// network's first step.
type gradeClock struct {
	mark   time.Time     // end of the grade before
	begun  bool          // the network in training has taken a step
	before time.Duration // what came before its first step, or that of the last one; 0: there was none
}

// step is called at each step of a network.
func (c *gradeClock) step() {
	if !c.begun {
		c.begun = true
		c.before = max(time.Since(c.mark), 1)
		c.mark = c.mark.Add(c.before)
	}
}

// finish returns the time of a grade at its verdict.
func (c *gradeClock) finish(g mgdl.GradeInfo) time.Duration {
	if len(g.Curve) == 0 && c.before > 0 {
		return c.before
	}
	d := time.Since(c.mark)
	c.mark = c.mark.Add(d)
	c.begun = false
	return d
}

// A scale turns losses into the units of the target.
type scale struct {
	task      mgdl.Task
	deviation float64 // of the target; 0 if there are several, each with its own unit
	priorLoss float64 // loss of predicting the mean, or the class frequencies
}

// newScale measures the targets of d.
func newScale(d mgdl.Data) scale {
	if d.Schema.Task == mgdl.Classification {
		counts := make([]float64, len(d.Schema.Targets[0].Levels))
		for _, y := range d.Y {
			counts[int(y)]++
		}
		entropy := 0.0
		for _, c := range counts {
			if c > 0 {
				p := c / float64(len(d.Y))
				entropy -= p * math.Log(p)
			}
		}
		return scale{task: d.Schema.Task, priorLoss: entropy}
	}
	s := scale{task: d.Schema.Task, priorLoss: 1}
	if len(d.Schema.Targets) == 1 {
		n, mean, sum := float64(len(d.Y)), 0.0, 0.0
		for _, y := range d.Y {
			mean += y / n
		}
		for _, y := range d.Y {
			sum += (y - mean) * (y - mean)
		}
		s.deviation = math.Sqrt(sum / n)
	}
	return s
}

// describe names a loss of held-out rows.
func (s scale) describe(loss float64) string {
	switch {
	case s.task == mgdl.Classification:
		return "validation log loss " + short(loss)
	case s.deviation > 0:
		return "validation error " + short(math.Sqrt(loss)*s.deviation)
	}
	return "validation error " + short(math.Sqrt(loss)) + " deviations"
}

func (s scale) priorName() string {
	if s.task == mgdl.Classification {
		return "the class frequencies"
	}
	return "the mean"
}

// parameters counts the parameters of all grades.
func parameters(m *mgdl.Model) int {
	n := 0
	for _, g := range m.Grades() {
		n += g.Params
	}
	return n
}

// duration writes seconds for people.
func duration(seconds float64) string {
	switch {
	case seconds < 100:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 6000:
		return fmt.Sprintf("%.1f min", seconds/60)
	}
	return fmt.Sprintf("%.1f h", seconds/3600)
}

// nextCommands says what to do with the model.
func (t *training) nextCommands(text io.Writer) {
	data := t.data.path
	if t.data.isStdin() {
		data = "DATA.csv"
	}
	predict := []string{"mgdl", "predict", t.output, data}
	if t.data.isPicture() {
		predict = []string{"mgdl", "predict", t.output, "--size", "1024x1024", "-o", stem(t.output) + "-1024.png"}
	}
	fmt.Fprintf(text, "\nnext:\n  %s\n  %s\n",
		shellCommand(predict...),
		shellCommand("mgdl", "report", t.output, data, "-o", stem(t.output)+".html"))
}

// A gap is the certificate of a convex grade, as JSON.
type gap struct {
	Gap    float64 `json:"gap"`
	Lambda float64 `json:"lambda"`
	Global bool    `json:"global"`
}

// gapOf returns the certificate of g, nil if there is none.
func gapOf(g mgdl.GradeInfo) *gap {
	if g.Certificate == nil {
		return nil
	}
	return &gap{g.Certificate.Gap, g.Certificate.Lambda, g.Certificate.Global}
}
