package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/multigrade/multigrade/mgdl"
	"gonum.org/v1/plot/vg/draw"
)

// timeGrades measures how long the prediction of one row takes up to each grade: the
// fastest of several short runs, spread over the whole time of measuring, since what
// disturbs a run makes it longer and passes.
func timeGrades(s *subject) []float64 {
	const (
		rounds = 8
		run    = 2500 * time.Microsecond // so 20 ms a grade
	)
	rows := min(s.data.Rows, 64)
	dst := make([]float64, 0, s.model.Outputs())
	ns, calls := make([]float64, len(s.steps)), make([]int, len(s.steps))
	for range rounds {
		for k := 1; k < len(ns); k++ {
			for calls[k] = max(calls[k], 1); ; calls[k] *= 2 {
				start := time.Now()
				for i := range calls[k] {
					s.predictor.PredictGrades(dst, s.row(i%rows), k)
				}
				if took := time.Since(start); took >= run/2 {
					each := float64(took.Nanoseconds()) / float64(calls[k])
					if ns[k] == 0 || each < ns[k] {
						ns[k] = each
					}
					break
				}
			}
		}
	}
	for k := len(ns) - 2; k > 0; k-- {
		ns[k] = min(ns[k], ns[k+1]) // fewer grades are part of the work of more
	}
	return ns
}

// gradeName is how charts call step k.
func gradeName(k, of int) string {
	switch {
	case k == 0:
		return "prior"
	case of > 6:
		return strconv.Itoa(k)
	}
	return "grade " + strconv.Itoa(k)
}

// left is the loss on the rows of the report after step k, squared error or log loss,
// as a share of the prior's.
func (s *subject) left(k int) float64 {
	if s.classifies() {
		return s.metrics[k].LogLoss / s.metrics[0].LogLoss
	}
	r := s.metrics[k].RMSE / s.metrics[0].RMSE
	return r * r
}

func gradesSection(s *subject) section {
	sec := section{ID: "grades", Title: "Error by grade",
		Intro: "The model is a sum: each grade is fitted to what the grades before it leave over, and each prefix of the sum is a model that can be used alone."}
	if s.grades() > 0 {
		sec.add(part{Figures: []figure{leftOver(s), absolute(s)}, Columns: 2})
	}
	sec.add(part{Table: gradesTable(s)})
	return sec
}

func gradesTable(s *subject) *table {
	t := &table{Head: []cell{text("grade"), text("kind"), text("hidden widths"), number("parameters")}}
	if s.classifies() {
		t.Head = append(t.Head, number("accuracy"), number("log loss"))
	} else {
		t.Head = append(t.Head, number("RMSE"), number("R²"))
	}
	t.Head = append(t.Head, text("left over"), number("train loss"), number("validation"), number("one row"))
	for k, g := range s.steps {
		m := s.metrics[k]
		name := strconv.Itoa(k)
		if k == 0 {
			name = none
		}
		row := []cell{text(name), text(label(g.Kind, 20)), text(widths(g)), number(count(g.Params))}
		if s.classifies() {
			row = append(row, number(share(m.Accuracy)), number(num(m.LogLoss)))
		} else {
			row = append(row, number(num(m.RMSE)), number(r2(m.R2)))
		}
		left := s.left(k)
		bar := text(share(left))
		bar.Bar = 100 * min(1, max(0, left))
		bar.HasBar = !math.IsNaN(left)
		t.Rows = append(t.Rows, append(row, bar, number(num(g.TrainLoss)), number(num(g.ValLoss)), number(nanos(s.nanos[k]))))
	}
	what := "squared error as a share of the prior's. Train and validation loss were measured in training: the share of the variance of the standardised targets left over"
	if s.classifies() {
		what = "log loss as a share of the prior's. Train and validation loss were measured in training: cross-entropy in nats"
	}
	t.Foot = "Left over: " + what + ". One row: the time one prediction takes up to and with that grade on this host, the only figures here that change from run to run."
	return t
}

// r2 shows a coefficient of determination with enough digits to tell it from 1.
func r2(x float64) string {
	if math.Abs(x) < 5e-5 {
		return "0" // the mean explains nothing, but for rounding and other rows' mean
	}
	if left := 1 - x; left > 0 && left < 0.1 {
		d := min(8, 2+int(math.Ceil(-math.Log10(left))))
		return strconv.FormatFloat(x, 'f', d, 64)
	}
	return num(x)
}

// leftOver charts the loss after each step as a share of the prior's, on these rows and
// as it was in training.
func leftOver(s *subject) figure {
	series := []struct {
		key
		at func(k int) float64
	}{
		{key{"second", "dash", "held out in training"}, func(k int) float64 { return s.steps[k].ValLoss / s.steps[0].ValLoss }},
		{key{"muted", "line", "training rows"}, func(k int) float64 { return s.steps[k].TrainLoss / s.steps[0].TrainLoss }},
		{key{"accent", "line", "rows of this report"}, s.left},
	}
	f := figure{Title: "Left over after each grade", Note: "share of the prior's loss, logarithmic scale"}
	p, n := newPlot(true), s.grades()
	var ys span
	for i, line := range series {
		var pts []xy
		for k := range s.steps {
			if y := log10(line.at(k)); !math.IsNaN(y) {
				pts = append(pts, xy{float64(k), y})
				ys.add(y)
			}
		}
		if len(pts) < 2 {
			continue
		}
		f.Keys = append(f.Keys, line.key)
		t, width := []tone{second, muted, accent}[i], []float64{1.5, 1.5, 2.5}[i]
		sty := stroke(t, width)
		if line.Shape == "dash" {
			sty = stroke(t, width, 1, 4)
		}
		p.Add(curve{pts, sty})
		if i == len(series)-1 {
			for j, q := range pts {
				p.Add(ring{q, 3, t, true})
				if len(pts) <= 6 || j == len(pts)-1 {
					p.Add(words{q, 5, 4, share(math.Pow(10, q.y)), style(figureInk, tickSize, draw.XLeft, draw.YBottom)})
				}
			}
		}
	}
	if !ys.some {
		f.Empty = "The prior leaves nothing over on these rows."
		return f
	}
	slices.Reverse(f.Keys)
	p.X.Min, p.X.Max = -0.15, float64(n)*1.14+0.1
	p.Y.Min, p.Y.Max = ys.padded(0.06)
	p.Y.Max += (p.Y.Max - p.Y.Min) * 0.08
	p.X.Tick.Marker = stepNames(n)
	p.Y.Tick.Marker = logarithmic{percent}
	f.SVG = append(f.SVG, render(p, halfWidth, 270, f.Title))
	return f
}

func stepNames(n int) named {
	names := make(named, n+1)
	for k := range names {
		if n <= 12 || k%(n/12+1) == 0 || k == n {
			names[k] = gradeName(k, n)
		}
	}
	return names
}

// absolute charts the error after each step in its own units.
func absolute(s *subject) figure {
	f := figure{Title: "Root mean squared error", Note: "in the units of " + s.targets(1)}
	if len(s.schema.Targets) > 1 {
		f.Note = "over all targets, in their units"
	}
	at, show := func(k int) float64 { return s.metrics[k].RMSE }, num
	if s.classifies() {
		f.Title, f.Note = "Rows it gets wrong", "share of all rows"
		at, show = func(k int) float64 { return 1 - s.metrics[k].Accuracy }, share
	}
	p, n := newPlot(true), s.grades()
	ys := span{some: true}
	for k := range s.steps {
		y := at(k)
		ys.add(y)
		if math.IsNaN(y) || math.IsInf(y, 0) {
			continue
		}
		t := accent
		if k == 0 {
			t = rule
		}
		p.Add(box{float64(k) - 0.3, 0, float64(k) + 0.3, y, t, 0.9, 0})
		if n <= 8 || k == 0 || k == n {
			p.Add(words{xy{float64(k), y}, 0, 4, show(y), style(figureInk, tickSize, draw.XCenter, draw.YBottom)})
		}
	}
	_, top := ys.padded(0.14)
	p.X.Min, p.X.Max = -0.5, float64(n)+0.5
	p.Y.Min, p.Y.Max = 0, top
	p.X.Tick.Marker = stepNames(n)
	if s.classifies() {
		p.Y.Tick.Marker = shares{linear{4}}
	}
	f.SVG = append(f.SVG, render(p, halfWidth, 270, f.Title))
	return f
}

// curvesSection shows the losses during training, one grade after the other.
func curvesSection(grades []mgdl.GradeInfo, classifies bool) section {
	sec := section{ID: "curves", Title: "Learning curves"}
	p := newPlot(true)
	var (
		train, val []xy
		ends       []ring
		ys, xs     span
		start      float64
	)
	gap := xy{math.NaN(), math.NaN()}
	xs.add(0)
	for k, g := range grades {
		last, end := 0.0, start
		for _, c := range thin(g.Curve, 800/len(grades)+2) {
			if math.IsNaN(c.Epoch) || math.IsInf(c.Epoch, 0) {
				continue
			}
			if c.Epoch < last {
				train, val = append(train, gap), append(val, gap)
			}
			last = c.Epoch
			at := start + c.Epoch
			end = max(end, at)
			train = append(train, xy{at, log10(c.TrainLoss)})
			val = append(val, xy{at, log10(c.ValLoss)})
		}
		train, val = append(train, gap), append(val, gap)
		ends = append(ends, ring{xy{end, log10(g.TrainLoss)}, 3.5, muted, false}, ring{xy{end, log10(g.ValLoss)}, 3.5, accent, false})
		if len(g.Curve) > 0 {
			name := gradeName(k+1, len(grades))
			if len(grades) > 30 {
				name = ""
			}
			p.Add(upright{start, name, stroke(rule, 1, 2, 3)})
		}
		start = end
	}
	xs.add(start)
	for _, q := range slices.Concat(train, val) {
		ys.add(q.y)
	}
	if !ys.some || !(start > 0) {
		sec.Intro = "There are none: " + noCurves(grades)
		return sec
	}
	for _, r := range ends {
		ys.add(r.at.y)
	}
	p.Add(curve{train, stroke(muted, 1.25)}, curve{val, stroke(accent, 2)})
	for _, r := range ends {
		p.Add(r)
	}
	p.X.Min, p.X.Max = 0, xs.hi*1.005
	p.Y.Min, p.Y.Max = ys.padded(0.04)
	p.Y.Max += (p.Y.Max - p.Y.Min) * 0.06
	p.X.Label.Text = "epochs, one grade after the other"
	p.X.Tick.Marker = linear{8}
	p.Y.Tick.Marker = logarithmic{percent}
	f := figure{Title: "Loss while training", Note: "share of the variance left over, logarithmic scale",
		Keys: []key{{"accent", "line", "rows held out"}, {"muted", "line", "recent batches"}, {"muted", "ring", "the grade as it was accepted"}}}
	if classifies {
		f.Note = "cross-entropy in nats, logarithmic scale"
		p.Y.Tick.Marker = logarithmic{short}
	}
	f.SVG = append(f.SVG, render(p, fullWidth, 330, f.Title))
	sec.Intro = "Each grade starts where the one before it stopped, with all earlier grades frozen."
	for _, g := range grades {
		if g.Kind == "linear" {
			sec.Intro += " The linear grade is solved exactly and has no curve; only its circles are shown."
			break
		}
	}
	sec.add(part{Figures: []figure{f}, Columns: 1})
	return sec
}

func noCurves(grades []mgdl.GradeInfo) string {
	if len(grades) == 0 {
		return "the model is its prior."
	}
	return fmt.Sprintf("the model file records no checks for its %s, as when they are solved exactly.", plural(len(grades), "grade"))
}

// thin keeps at most most of the checks, evenly, the last among them.
func thin(c []mgdl.Check, most int) []mgdl.Check {
	if len(c) <= most {
		return c
	}
	out := make([]mgdl.Check, 0, most)
	for i := range most {
		out = append(out, c[(i+1)*len(c)/most-1])
	}
	return out
}

// log10 is the decimal logarithm of a loss; NaN for what has none.
func log10(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 0) {
		return math.NaN()
	}
	return math.Log10(x)
}
