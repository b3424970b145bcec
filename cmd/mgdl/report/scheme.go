package report

import (
	"fmt"
	"html/template"
	"image"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/multigrade/multigrade/mgdl/construct"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// SchemeOptions says what a constructed scheme is for and how it did.
type SchemeOptions struct {
	Title, Function string
	Certificate     string // "" if there is none
	Hats            int    // most of a grade
	Bound           float64
	Eps             float64
	Check           construct.Check
}

// WriteScheme writes a page about a constructed scheme of f: its bounds beside what random points
// saw, and pictures of what each level leaves over.
func WriteScheme(w io.Writer, s *construct.Scheme, f construct.Func, o SchemeOptions) error {
	r := schemeReport{s, f, o, s.Levels()}
	p := page{Head: r.headline(), CSS: template.CSS(variables() + rampCSS() + pageCSS)}
	p.Sections = append(p.Sections, r.bounds(), r.residuals())
	if err := p.render(w); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

type schemeReport struct {
	*construct.Scheme
	f       construct.Func
	options SchemeOptions
	levels  []construct.Level
}

func (r *schemeReport) headline() headline {
	h := headline{Over: "Multigrade construction", Title: label(r.options.Title, 120),
		Before: "The error is at most", Strong: above(r.options.Bound), After: "everywhere on the unit cube."}
	if !r.Certified() {
		h.Before, h.After = "The error is about", "or less, by an estimate from values: an empirical result, nothing is proven."
	}
	if r.Mode() != construct.Interpolate {
		h.More = append(h.More, "No grade raises the error at any point.")
	}
	h.Tiles = []labelled{
		{Label: "hats", Text: count(r.Hats()), Note: plural(len(r.levels), "level")},
		{Label: "grades", Text: count(len(r.Grades(r.options.Hats))), Note: "of at most " + plural(r.options.Hats, "hat")},
		{Label: "width", Text: count(r.Width(r.options.Hats)), Note: "of every grade, depth " + strconv.Itoa(r.Dim()+1)},
		{Label: "largest error seen", Text: num(r.options.Check.Sup), Note: "at " + plural(r.options.Check.Points, "random point")},
		{Label: "float32 adds", Text: above(r.Rounding()), Note: "to the bound, included in it"},
	}
	h.Facts = []labelled{{Label: "function", Text: label(r.options.Function, 400), Mono: true}}
	if r.options.Certificate != "" {
		h.Facts = append(h.Facts, labelled{Label: "certificate", Text: label(r.options.Certificate, 400), Mono: true, Note: "given, not proven here: the bound rests on it"})
	}
	h.Facts = append(h.Facts, labelled{Label: "mode", Text: r.Mode().String()})
	if r.Mode() != construct.Interpolate {
		h.Facts = append(h.Facts, labelled{Label: "monotone", Text: plural(r.options.Check.Violations, "violation") + " at those points, after every single hat"})
	}
	return h
}

// bounds shows the bound of each level beside what was seen.
func (r *schemeReport) bounds() section {
	sec := section{ID: "bounds", Title: "Error by level",
		Intro: "A level is a mesh; its grades add a hat at each node that still needs one. Every prefix is a network whose error has a bound."}
	p := newPlot(true)
	var ys span
	var proven, seen []xy
	for j, l := range r.levels {
		proven = append(proven, xy{float64(j), log10(l.Bound)})
		seen = append(seen, xy{float64(j), log10(r.options.Check.Levels[j])})
		for _, q := range []xy{proven[j], seen[j]} {
			if q.finite() {
				ys.add(q.y)
			}
		}
	}
	p.Add(curve{seen, stroke(accent, 2.5)}, curve{proven, stroke(second, 1.5, 1, 4)})
	var names named
	for j, l := range r.levels {
		p.Add(ring{seen[j], 3, accent, true})
		name := ""
		if len(r.levels) <= 12 || j%2 == len(r.levels)%2 {
			name = count(l.Mesh)
		}
		names = append(names, name)
	}
	p.X.Min, p.X.Max = -0.15, float64(len(r.levels))-0.8
	p.Y.Min, p.Y.Max = ys.padded(0.06)
	p.X.Tick.Marker = names
	p.X.Label.Text = "cells of the mesh along an axis"
	p.Y.Tick.Marker = logarithmic{short}
	what := "proven bound"
	if !r.Certified() {
		what = "estimated bound"
	}
	sec.add(part{Columns: 1, Figures: []figure{{Title: "Largest error after each level", Note: "logarithmic scale",
		Keys: []key{{"accent", "line", "largest seen"}, {"second", "dash", what}},
		SVG:  []template.HTML{render(p, fullWidth, 280, "largest error after each level")}}}})
	t := &table{Head: []cell{number("level"), number("mesh"), number("hats"), number("largest coefficient"), number(what), number("largest seen")}}
	for j, l := range r.levels {
		t.Rows = append(t.Rows, []cell{number(strconv.Itoa(j + 1)), number(count(l.Mesh)), number(count(l.Hats)), number(num(l.Largest)),
			number(above(l.Bound)), number(num(r.options.Check.Levels[j]))})
	}
	sec.add(part{Table: t})
	return sec
}

// residuals shows what is left over after a few of the levels, and the function.
func (r *schemeReport) residuals() section {
	sec := section{ID: "residuals", Title: "What each level leaves over"}
	switch d := r.Dim(); {
	case d == 1:
		sec.Intro = "The function and the sum after a level; below, what is left over, with the bound on it."
	case d == 2:
		sec.Intro = "The function, then what is left over after each level, each in colours of its own. Across: x1; upwards: x2."
	default:
		sec.Intro = "On the plane where all coordinates but the first two are ½: the function, then what is left over after each level, each in colours of its own. Across: x1; upwards: x2."
	}
	if r.Dim() == 1 {
		r.lines(&sec)
	} else {
		r.maps(&sec)
	}
	return sec
}

// lines adds the curves of one dimension.
func (r *schemeReport) lines(sec *section) {
	const points = 1200
	shown := shownGrades(len(r.levels), 6)
	for len(shown) > 0 {
		row := shown[:min(3, len(shown))]
		shown = shown[len(row):]
		out := part{Columns: 3}
		for _, level := range row {
			var truth, sum, left []xy
			var ys, rs span
			for i := range points {
				x := (float64(i) + 0.5) / points
				f, v := r.f([]float64{x}), r.AfterLevel(level-1, []float64{x})
				truth, sum, left = append(truth, xy{x, f}), append(sum, xy{x, v}), append(left, xy{x, f - v})
				ys.add(f, v)
				rs.add(f - v)
			}
			bound := r.levels[level-1].Bound
			rs.add(0, bound)
			if rs.lo < 0 {
				rs.add(-bound)
			}
			const width = 293
			top, below := newPlot(true), newPlot(true)
			for _, p := range []*plot.Plot{top, below} {
				p.X.Min, p.X.Max = 0, 1
				p.X.Tick.Marker, p.Y.Tick.Marker = linear{4}, linear{4}
			}
			top.Y.Min, top.Y.Max = ys.padded(0.05)
			below.Y.Min, below.Y.Max = rs.padded(0.05)
			top.Add(curve{truth, stroke(muted, 1)}, curve{sum, stroke(accent, 2)})
			below.Add(curve{left, stroke(second, 1.5)})
			for _, y := range []float64{bound, -bound} {
				if y >= rs.lo && y <= rs.hi {
					below.Add(curve{[]xy{{0, y}, {1, y}}, stroke(muted, 1, 2, 3)})
				}
			}
			edge := max(margin(top, width, 180), margin(below, width, 140))
			l := r.levels[level-1]
			out.Figures = append(out.Figures, figure{Title: fmt.Sprintf("Level %d", level), Note: plural(l.Hats, "hat") + ", mesh " + count(l.Mesh),
				SVG: []template.HTML{renderFrom(top, width, 180, edge, fmt.Sprintf("the function and level %d", level)),
					renderFrom(below, width, 140, edge, fmt.Sprintf("left over by level %d", level))}})
		}
		sec.add(out)
	}
}

// maps adds pictures of a plane.
func (r *schemeReport) maps(sec *section) {
	const cells, width = 160, 293
	at := func(c int) []float64 {
		x := make([]float64, r.Dim())
		for i := range x {
			x[i] = 0.5
		}
		x[0], x[1] = (float64(c%cells)+0.5)/cells, (float64(c/cells)+0.5)/cells
		return x
	}
	paint := func(v []float64, lo, hi float64, colours ramp, what string) template.HTML {
		m := image.NewPaletted(image.Rect(0, 0, cells, cells), colours.palette())
		for c, x := range v {
			m.SetColorIndex(c%cells, cells-1-c/cells, uint8(1+clamp((x-lo)/(hi-lo), 0, 1)*253.999))
		}
		p := newPlot(false)
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
		p.X.Tick.Marker, p.Y.Tick.Marker = linear{3}, linear{4}
		p.X.LineStyle = draw.LineStyle{}
		p.Add(picture{m}, frame{})
		return render(p, width, width*0.86, what)
	}
	truth := make([]float64, cells*cells)
	var ys span
	for c := range truth {
		truth[c] = r.f(at(c))
		ys.add(truth[c])
	}
	lo, hi := ys.padded(0)
	figures := []figure{{Title: "The function", Note: label(r.options.Function, 60),
		SVG:    []template.HTML{paint(truth, lo, hi, viridis, "the function")},
		Scales: []scale{{num(lo), num(hi), viridis.name()}}}}
	for _, level := range shownGrades(len(r.levels), 8) {
		left := make([]float64, len(truth))
		edge := 1e-300
		for c := range left {
			left[c] = truth[c] - r.AfterLevel(level-1, at(c))
			edge = max(edge, math.Abs(left[c]))
		}
		l := r.levels[level-1]
		name := fmt.Sprintf("Level %d", level)
		figures = append(figures, figure{Title: name, Note: plural(l.Hats, "hat") + ", mesh " + count(l.Mesh),
			SVG:    []template.HTML{paint(left, -edge, edge, diverging, "left over by "+strings.ToLower(name))},
			Scales: []scale{{minus + num(edge), num(edge), diverging.name()}},
			Foot:   "bound " + above(l.Bound)})
	}
	for len(figures) > 0 {
		row := figures[:min(3, len(figures))]
		figures = figures[len(row):]
		sec.add(part{Columns: 3, Figures: row})
	}
}
