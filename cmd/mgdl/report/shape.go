package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"

	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
	"gonum.org/v1/plot"
)

const (
	linePanels  = 6   // grades that get a panel of their own for one input
	linePoints  = 500 // rows drawn in a panel
	lineSamples = 600 // points of a fitted curve
)

// shapeSections draws the model itself where it has one or two numbers as inputs, grade
// by grade.
func shapeSections(s *subject) []section {
	n := s.features()
	if s.grades() == 0 || n > 2 {
		return nil
	}
	for j, c := range s.schema.Features {
		var xs span
		for i := range s.data.Rows {
			xs.add(s.row(i)[j])
		}
		if c.Kind != mgdl.Number || !(xs.hi > xs.lo) || math.IsInf(xs.hi-xs.lo, 0) {
			return nil
		}
	}
	if n == 2 && len(s.schema.Targets) >= 3 && dataset.IsImage(s.schema) {
		sec := section{ID: "shape"}
		sec.add(colorMaps(s, &sec))
		return []section{sec}
	}
	var secs []section
	for t := range min(len(s.schema.Targets), targetSections) {
		sec := section{ID: "shape", Title: "The model, grade by grade"}
		if len(s.schema.Targets) > 1 {
			sec.ID += "-" + strconv.Itoa(t+1)
			sec.Title = label(s.schema.Targets[t].Name, 60) + ", grade by grade"
		}
		var p part
		switch {
		case s.classifies() && s.model.Outputs() > len(classTones):
			return nil
		case s.classifies() && n == 1:
			p = classCurves(s, &sec)
		case s.classifies():
			p = classMaps(s, &sec)
		case n == 1:
			p = curves(s, &sec, t)
		default:
			p = maps(s, &sec, t)
		}
		sec.add(p)
		secs = append(secs, sec)
	}
	return secs
}

// panels is a row of figures that show the same thing at several grades.
func panels(n int) (columns int, width float64) {
	switch {
	case n == 1:
		return 1, fullWidth
	case n == 2 || n == 4:
		return 2, halfWidth
	}
	return 3, 293
}

func (s *subject) afterGrade(k int) (title, note string) {
	title = fmt.Sprintf("Grades 1 to %d", k)
	if k == 1 {
		title = "Grade 1"
	}
	if s.classifies() {
		return title, share(s.metrics[k].Accuracy) + " right"
	}
	if len(s.schema.Targets) > 1 {
		return title, ""
	}
	note = "RMSE " + num(s.metrics[k].RMSE)
	if dataset.IsImage(s.schema) {
		note += fmt.Sprintf(", %.1f dB", -20*math.Log10(s.metrics[k].RMSE))
	}
	return title, note
}

// curves shows, for one input, the model after each grade over the rows, and below it
// what that grade found and what it made of it.
func curves(s *subject, sec *section, t int) part {
	x, y := label(s.schema.Features[0].Name, 40), label(s.schema.Targets[t].Name, 40)
	sec.Intro = fmt.Sprintf("Above: %s as the model has it after each grade, over the rows. Below: what that grade alone adds, over the residuals it was given, on a scale of its own.", y)
	at := sample(s.data.Rows, linePoints)
	rows := make([]float64, len(at))
	for k, i := range at {
		rows[k] = s.row(i)[0]
	}
	line, lo, hi := s.along(0)

	shown := shownGrades(s.grades(), linePanels)
	columns, width := panels(len(shown))
	out := part{Columns: columns}
	var all span
	for _, i := range at {
		all.add(s.truth(i, t))
	}
	fitted := make([][]float64, len(shown))
	type chart struct {
		*plot.Plot
		height float64
		what   string
		panel  int
	}
	var charts []chart
	for k, g := range shown {
		fitted[k] = s.column(line, g, t)
		all.add(fitted[k]...)
	}
	for k, g := range shown {
		before, found := s.column(line, g-1, t), s.column(rows, g-1, t)
		over, given := make([]xy, len(at)), make([]xy, len(at))
		sums, adds := make([]xy, len(line)), make([]xy, len(line))
		var own span
		for m, i := range at {
			over[m], given[m] = xy{rows[m], s.truth(i, t)}, xy{rows[m], s.truth(i, t) - found[m]}
			own.add(given[m].y)
		}
		for m, v := range line {
			sums[m], adds[m] = xy{v, fitted[k][m]}, xy{v, fitted[k][m] - before[m]}
			own.add(adds[m].y)
		}
		title, note := s.afterGrade(g)
		out.Figures = append(out.Figures, figure{Title: title, Note: note})
		for _, c := range []struct {
			pts, line []xy
			ys        span
			tone      tone
			height    float64
			what      string
		}{
			{over, sums, all, accent, 0.72, "model " + title},
			{given, adds, own, second, 0.56, "what grade " + strconv.Itoa(g) + " adds"},
		} {
			p := newPlot(true)
			p.X.Min, p.X.Max = span{lo, hi, true}.padded(0.01)
			p.Y.Min, p.Y.Max = c.ys.padded(0.05)
			p.X.Tick.Marker, p.Y.Tick.Marker = linear{4}, linear{4}
			if c.tone == second {
				p.X.Label.Text = x
			}
			p.Add(dots{c.pts, muted, 0.5, dotWidth(len(at)) * 0.9}, curve{c.line, stroke(c.tone, 2)})
			charts = append(charts, chart{p, min(width*c.height, 300), c.what, k})
		}
	}
	left := 0.0
	for _, c := range charts {
		left = max(left, margin(c.Plot, width, c.height))
	}
	for _, c := range charts {
		f := &out.Figures[c.panel]
		f.SVG = append(f.SVG, renderFrom(c.Plot, width, c.height, left, c.what))
	}
	return out
}

// along returns points at even distances over the values of a feature that is the only one.
func (s *subject) along(feature int) (line []float64, lo, hi float64) {
	var xs span
	for i := range s.data.Rows {
		xs.add(s.row(i)[feature])
	}
	for i := range lineSamples {
		line = append(line, xs.lo+(xs.hi-xs.lo)*float64(i)/(lineSamples-1))
	}
	return line, xs.lo, xs.hi
}

// classKeys name the classes by their colours.
func (s *subject) classKeys(shape string) []key {
	var keys []key
	for c, l := range s.schema.Targets[0].Levels {
		keys = append(keys, key{tones[classTones[c]].name, shape, label(l, 24)})
	}
	return keys
}

// classCurves shows the probability of each class over the one input, and the rows as
// marks below.
func classCurves(s *subject, sec *section) part {
	sec.Intro = fmt.Sprintf("The probability of each class over %s. Marks at the foot are the rows, by their true class.", label(s.schema.Features[0].Name, 40))
	line, lo, hi := s.along(0)
	shown := shownGrades(s.grades(), linePanels)
	columns, width := panels(len(shown))
	out := part{Columns: columns}
	for _, g := range shown {
		p := newPlot(true)
		classes := s.model.Outputs()
		pts := make([][]xy, classes)
		s.predict(line, g, func(i int, o []float64) {
			for c, v := range o {
				pts[c] = append(pts[c], xy{line[i], v})
			}
		})
		marks := make([][]xy, classes)
		for _, i := range sample(s.data.Rows, linePoints) {
			if c, ok := level(s.schema.Targets[0], s.truth(i, 0)); ok {
				marks[c] = append(marks[c], xy{s.row(i)[0], -0.05 - 0.045*float64(c)})
			}
		}
		for c := range classes {
			p.Add(dots{marks[c], classTones[c], 0.5, 3}, curve{pts[c], stroke(classTones[c], 2)})
		}
		p.X.Min, p.X.Max = span{lo, hi, true}.padded(0.01)
		p.Y.Min, p.Y.Max = -0.05-0.045*float64(classes), 1.03
		p.X.Label.Text = label(s.schema.Features[0].Name, 40)
		p.X.Tick.Marker, p.Y.Tick.Marker = linear{4}, shares{linear{4}}
		title, note := s.afterGrade(g)
		out.Figures = append(out.Figures, figure{Title: title, Note: note, Keys: s.classKeys("line"),
			SVG: []template.HTML{render(p, width, min(width*0.75, 320), "class probabilities, "+title)}})
	}
	return out
}
