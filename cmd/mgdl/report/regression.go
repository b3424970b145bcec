package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	targetSections = 4    // targets that get charts; the others are in the table
	scatterPoints  = 2000 // points of a scatter
	worstRows      = 10
	worstColumns   = 7  // columns of a row that tables show, the most important ones
	valueRunes     = 16 // of a name or a value in them
	valueBudget    = 72 // runes that all of them may take, for the table to fit the page
)

// fit is how one target is predicted: the truth, the predictions of the whole model, and
// what sums of them say.
type fit struct {
	truth, pred   []float64
	rmse, mae, r2 float64
}

func (s *subject) fits() []fit {
	fits := make([]fit, len(s.schema.Targets))
	for t := range fits {
		fits[t].truth = make([]float64, s.data.Rows)
		fits[t].pred = make([]float64, s.data.Rows)
	}
	s.predict(s.data.X, s.grades(), func(i int, out []float64) {
		for t := range fits {
			fits[t].truth[i], fits[t].pred[i] = s.truth(i, t), out[t]
		}
	})
	for t := range fits {
		fits[t].measure()
	}
	return fits
}

func (f *fit) measure() {
	n := float64(len(f.truth))
	mean, squares, abs, variance := 0.0, 0.0, 0.0, 0.0
	for _, y := range f.truth {
		mean += y / n
	}
	for i, y := range f.truth {
		e := y - f.pred[i]
		squares, abs, variance = squares+e*e, abs+math.Abs(e), variance+(y-mean)*(y-mean)
	}
	f.rmse, f.mae, f.r2 = math.Sqrt(squares/n), abs/n, 1-squares/variance
}

// residual is truth less prediction of each row.
func (f *fit) residual() []float64 {
	r := make([]float64, len(f.truth))
	for i, y := range f.truth {
		r[i] = y - f.pred[i]
	}
	return r
}

func regressionSections(s *subject) []section {
	fits := s.fits()
	var secs []section
	if len(fits) > 1 {
		secs = append(secs, targetsSection(s, fits))
	}
	for t := range min(len(fits), targetSections) {
		name := label(s.schema.Targets[t].Name, 60)
		sec := section{ID: "target-" + strconv.Itoa(t+1), Title: "Prediction and truth"}
		if len(fits) > 1 {
			sec.Title += ": " + name
		}
		r := fits[t].residual()
		sec.Intro = spread(r)
		sec.add(part{Figures: []figure{scatter(&fits[t], name), histogram(r, name)}, Columns: 2})
		sec.add(part{Table: worst(s, &fits[t], t, r)})
		secs = append(secs, sec)
	}
	return secs
}

func targetsSection(s *subject, fits []fit) section {
	sec := section{ID: "targets", Title: "The targets"}
	t := &table{Head: []cell{text("target"), number("R²"), number("RMSE"), number("mean absolute error"), number("smallest truth"), number("largest truth")}}
	for i, f := range fits {
		var ys span
		ys.add(f.truth...)
		lo, hi := none, none
		if ys.some {
			lo, hi = num(ys.lo), num(ys.hi)
		}
		t.Rows = append(t.Rows, []cell{text(label(s.schema.Targets[i].Name, 60)), number(r2(f.r2)), number(num(f.rmse)), number(num(f.mae)), number(lo), number(hi)})
	}
	if len(fits) > targetSections {
		sec.Intro = fmt.Sprintf("The first %d have sections of their own below.", targetSections)
	}
	sec.add(part{Table: t})
	return sec
}

// spread says in words how far off the predictions are.
func spread(residual []float64) string {
	a := make([]float64, 0, len(residual))
	for _, r := range residual {
		if !math.IsNaN(r) {
			a = append(a, math.Abs(r))
		}
	}
	if len(a) < 10 {
		return ""
	}
	slices.Sort(a)
	return fmt.Sprintf("Half of the rows are off by at most %s, nine in ten by at most %s, and the worst by %s.",
		num(a[(len(a)-1)/2]), num(a[(len(a)-1)*9/10]), num(a[len(a)-1]))
}

func scatter(f *fit, name string) figure {
	fig := figure{Title: "Predicted against true", Note: name + ", both axes"}
	at := sample(len(f.truth), scatterPoints)
	if len(at) < len(f.truth) {
		fig.Note = fmt.Sprintf("%s, %s of %s rows", name, count(len(at)), count(len(f.truth)))
	}
	var both span
	pts := make([]xy, len(at))
	for k, i := range at {
		pts[k] = xy{f.truth[i], f.pred[i]}
		if pts[k].finite() {
			both.add(pts[k].x, pts[k].y)
		}
	}
	if !both.some {
		fig.Empty = "No row has both a truth and a prediction."
		return fig
	}
	p := newPlot(true)
	lo, hi := both.padded(0.03)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = lo, hi, lo, hi
	p.X.Label.Text, p.Y.Label.Text = "true", "predicted"
	p.Add(curve{[]xy{{lo, lo}, {hi, hi}}, stroke(rule, 1)})
	p.Add(dots{pts, dot, dotAlpha(len(pts)), dotWidth(len(pts))})
	fig.SVG = append(fig.SVG, render(p, halfWidth, 380, fig.Title))
	return fig
}

// dotAlpha and dotWidth keep few points visible and many from running into one another.
func dotAlpha(n int) float64 { return clamp(8/math.Sqrt(float64(n)), 0.35, 0.8) }
func dotWidth(n int) float64 { return clamp(90/math.Sqrt(float64(n)), 2.6, 6) }

func histogram(residual []float64, name string) figure {
	fig := figure{Title: "Residuals", Note: "true less predicted " + name + ", number of rows"}
	var r []float64
	for _, x := range residual {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			r = append(r, x)
		}
	}
	if len(r) == 0 {
		fig.Empty = "No row has both a truth and a prediction."
		return fig
	}
	slices.Sort(r)
	// Symmetric about 0, wide enough for all but one row in two hundred: a few far
	// rows would press all others into one bar. They are counted in the outer bars.
	edge := max(math.Abs(r[len(r)/400]), math.Abs(r[len(r)-1-len(r)/400]))
	if !(edge > 0) || math.IsInf(2*edge, 0) {
		edge = 1
	}
	bins := 2*int(clamp(math.Sqrt(float64(len(r)))/2, 4, 20)) + 1
	width := 2 * edge / float64(bins)
	counts := make([]float64, bins)
	beyond := 0
	for _, x := range r {
		if math.Abs(x) > edge*(1+1e-9) {
			beyond++
		}
		counts[int(clamp((x+edge)/width, 0, float64(bins-1)))]++
	}
	if beyond > 0 {
		fig.Foot = fmt.Sprintf("The outermost bars also count %s further out.", plural(beyond, "row"))
	}
	p := newPlot(true)
	for i, c := range counts {
		x := -edge + float64(i)*width
		p.Add(box{x, 0, x + width, c, accent, 0.85, 1})
	}
	p.X.Min, p.X.Max = -edge*1.02, edge*1.02
	p.Y.Min, p.Y.Max = 0, slices.Max(counts)*1.06
	p.X.Label.Text = "residual"
	p.Y.Tick.Marker = whole{linear{5}}
	fig.SVG = append(fig.SVG, render(p, halfWidth, 380, fig.Title))
	return fig
}

func worst(s *subject, f *fit, target int, residual []float64) *table {
	at := make([]int, 0, len(residual))
	for i, r := range residual {
		if !math.IsNaN(r) {
			at = append(at, i)
		}
	}
	slices.SortStableFunc(at, func(a, b int) int {
		return cmp.Compare(math.Abs(residual[b]), math.Abs(residual[a]))
	})
	at = at[:min(len(at), worstRows)]
	t := &table{Caption: "Worst rows", Head: []cell{number("row"), number("true"), number("predicted"), number("residual")}}
	shown := s.valueColumns(t, at)
	for _, i := range at {
		row := []cell{number(count(i + 1)), number(num(f.truth[i])), number(num(f.pred[i])), number(num(residual[i]))}
		t.Rows = append(t.Rows, s.values(row, i, shown))
	}
	t.Foot = s.valuesFoot(len(shown))
	return t
}

// valueColumns chooses the columns whose raw values a table of the given rows shows, the
// most important ones for which there is room, adds their heads to t, and returns them.
func (s *subject) valueColumns(t *table, rows []int) []int {
	var shown []int
	left := valueBudget
	for _, j := range s.importance.order(s.features()) {
		c := s.schema.Features[j]
		name := label(c.Name, valueRunes)
		width := utf8.RuneCountInString(name)
		for _, i := range rows {
			width = max(width, utf8.RuneCountInString(value(c, s.row(i)[j], valueRunes)))
		}
		if left -= width + 2; (left < 0 && len(shown) > 0) || len(shown) == worstColumns {
			break
		}
		shown = append(shown, j)
		t.Head = append(t.Head, rawCell(c.Kind, name))
	}
	return shown
}

// values appends the raw values of row i to a row of a table.
func (s *subject) values(row []cell, i int, shown []int) []cell {
	for _, j := range shown {
		c := s.schema.Features[j]
		row = append(row, rawCell(c.Kind, value(c, s.row(i)[j], valueRunes)))
	}
	return row
}

func (s *subject) valuesFoot(shown int) string {
	foot := "Rows are counted from 1, without the header."
	if n := s.features(); shown < n && s.importance.by != nil {
		foot += fmt.Sprintf(" Of %s, the %d that matter most.", plural(n, "column"), shown)
	} else if shown < n {
		foot += fmt.Sprintf(" Of %s, the first %d.", plural(n, "column"), shown)
	}
	return foot
}

// guide is the dashed diagonal on which a perfect model lies.
func guide(lo, hi float64) curve {
	return curve{[]xy{{lo, lo}, {hi, hi}}, stroke(rule, 1, 2, 3)}
}
