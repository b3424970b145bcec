package report

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Sizes of charts in the units of the page at its full width of 920.
const (
	fullWidth = 920
	halfWidth = 446
	tickSize  = 11
)

// style is a text of the theme. Its font has the metrics of Arial and Helvetica, and the
// style sheet names only families that share them, so labels end where they were
// measured to end.
func style(t tone, size float64, x draw.XAlignment, y draw.YAlignment) draw.TextStyle {
	return draw.TextStyle{
		Color:   t.opaque(),
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size)},
		XAlign:  x,
		YAlign:  y,
		Handler: plot.DefaultTextHandler,
	}
}

// stroke is a line of the theme.
func stroke(t tone, width float64, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: t.opaque(), Width: vg.Length(width), Dashes: dashes}
}

// newPlot returns an empty plot in the house theme: no frame, a thin base line, few and
// muted tick labels, no background, and light horizontal grid lines if wanted.
func newPlot(ruled bool) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle = style(muted, tickSize, draw.XCenter, draw.YBottom)
		a.Label.Padding = 5
		a.Padding = 0
		a.Tick.Length = 0
		a.Tick.LineStyle.Width = 0
		a.LineStyle = stroke(rule, 1)
		a.Tick.Marker = linear{5}
	}
	p.X.Tick.Label = style(muted, tickSize, draw.XCenter, draw.YTop)
	p.Y.Tick.Label = style(muted, tickSize, draw.XRight, draw.YCenter)
	p.Y.LineStyle.Width = 0
	p.X.Padding = 4
	p.Y.Padding = 2
	if ruled {
		p.Add(gridLines{})
	}
	return p
}

// render draws p as inline SVG of w×h page units. title is for those who cannot see it.
func render(p *plot.Plot, w, h float64, title string) template.HTML {
	return renderFrom(p, w, h, 0, title)
}

// margin is how far from the left edge the data of p begin.
func margin(p *plot.Plot, w, h float64) float64 {
	return p.DataCanvas(draw.NewCanvas(nil, vg.Length(w), vg.Length(h))).Min.X.Points()
}

// renderFrom is render with the data beginning at least left units from the left edge:
// plots above one another line up.
func renderFrom(p *plot.Plot, w, h, left float64, title string) template.HTML {
	c := vgsvg.New(vg.Length(w), vg.Length(h))
	space := vg.Length(max(1, left-margin(p, w, h)))
	p.Draw(draw.Crop(draw.New(c), space, -1, 1, -1))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "" // a bytes.Buffer does not fail
	}
	return inline(b.String(), w, h, title)
}

var (
	svgStyle  = regexp.MustCompile(`\s*style="([^"]*)"`)
	svgColour = regexp.MustCompile(`(fill|stroke):#([0-9A-F]{6})`)
	svgFont   = regexp.MustCompile(`font-(family|variant|weight|style):[^;]*;`)
)

// inline turns a document of the SVG writer into an element for our page: without
// prologue, namespaces and fonts, with the style sheet's variables for colours. User
// text cannot be touched by it: it is escaped, and so holds no quotation mark.
func inline(doc string, w, h float64, title string) template.HTML {
	_, body, _ := strings.Cut(doc, "<svg")
	_, body, _ = strings.Cut(body, ">")
	body = svgStyle.ReplaceAllStringFunc(body, func(s string) string {
		s = svgFont.ReplaceAllString(svgStyle.FindStringSubmatch(s)[1], "")
		s = svgColour.ReplaceAllStringFunc(s, func(c string) string {
			m := svgColour.FindStringSubmatch(c)
			v, _ := strconv.ParseUint(m[2], 16, 32) // six hexadecimal digits
			if t, ok := nearest(int(v>>16), int(v>>8&255), int(v&255)); ok {
				return m[1] + ":var(--" + tones[t].name + ")" + tones[t].css
			}
			return c
		})
		return ` style="` + s + `"`
	})
	body = strings.ReplaceAll(body, `xlink:href="data:image/jpg;`, `preserveAspectRatio="none" href="data:image/png;`)
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, w, h, html.EscapeString(title)) + body)
}

// linear marks round values, about n of them.
type linear struct{ n int }

func (l linear) Ticks(lo, hi float64) []plot.Tick {
	step := niceStep((hi - lo) / float64(l.n))
	if !(step > 0) || math.IsInf(step, 0) {
		return nil
	}
	var ts []plot.Tick
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+step*1e-9 && len(ts) < 50; i++ {
		ts = append(ts, plot.Tick{Value: i * step, Label: tickLabel(i*step, step)})
	}
	return ts
}

// niceStep is 1, 2 or 5 times a power of ten, the nearest to x by ratio.
func niceStep(x float64) float64 {
	e := math.Pow(10, math.Floor(math.Log10(x)))
	switch m := x / e; {
	case m < math.Sqrt(1*2):
		return e
	case m < math.Sqrt(2*5):
		return 2 * e
	case m < math.Sqrt(5*10):
		return 5 * e
	}
	return 10 * e
}

// tickLabel shows v, a multiple of step, with as many digits as step needs.
func tickLabel(v, step float64) string {
	a, sign, unit := math.Abs(v), "", ""
	if a < step/2 {
		return "0"
	}
	if v < 0 {
		sign = minus
	}
	switch {
	case a >= 1e9 || a < 1e-4 || step < 1e-5:
		digits := max(0, int(math.Floor(math.Log10(a)))-int(math.Floor(math.Log10(step)+1e-9)))
		return sign + exponent(strconv.FormatFloat(a, 'e', min(digits+1, 3), 64))
	case step >= 1e6:
		a, step, unit = a/1e6, step/1e6, "M"
	case step >= 1e4:
		a, step, unit = a/1e3, step/1e3, "k"
	}
	d := 0
	for s := step; d < 6 && math.Abs(s-math.Round(s)) > 1e-6*s; s *= 10 {
		d++
	}
	return sign + group2(strconv.FormatFloat(a, 'f', d, 64)) + unit
}

// group2 groups the thousands of a number that may have decimals.
func group2(s string) string {
	whole, frac, dotted := strings.Cut(s, ".")
	if whole = group(whole); dotted {
		return whole + "." + frac
	}
	return whole
}

// logarithmic marks an axis that holds decimal logarithms, with the values they are of.
// show is how a value is written.
type logarithmic struct{ show func(float64) string }

func (l logarithmic) Ticks(lo, hi float64) []plot.Tick {
	if !(hi > lo) {
		return nil
	}
	every := math.Ceil((hi - lo) / 7) // decades between labels
	for _, mantissas := range [][]float64{{1}, {1, 3}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}} {
		var ts []plot.Tick
		for e := math.Floor(lo/every) * every; e <= hi; e += every {
			for _, m := range mantissas {
				if at := e + math.Log10(m); at >= lo-1e-9 && at <= hi+1e-9 {
					ts = append(ts, plot.Tick{Value: at, Label: l.show(m * math.Pow(10, e))})
				}
			}
		}
		if len(ts) >= 3 {
			return ts
		}
	}
	ts := linear{4}.Ticks(math.Pow(10, lo), math.Pow(10, hi))
	for i, t := range ts {
		ts[i] = plot.Tick{Value: math.Log10(t.Value), Label: l.show(t.Value)}
	}
	return ts
}

// short writes a value of a logarithmic axis: 0.03, 2, 500, 1e−6.
func short(x float64) string {
	if x < 9e-4 || x >= 1e5 {
		m, e, _ := strings.Cut(strconv.FormatFloat(x, 'e', 2, 64), "e")
		return exponent(strings.TrimSuffix(strings.TrimRight(m, "0"), ".") + "e" + e)
	}
	if x >= 100 {
		return group(strconv.FormatFloat(x, 'f', 0, 64))
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// percent writes a share on a logarithmic axis.
func percent(x float64) string { return short(100*x) + nbsp + "%" }

// named marks the positions 0, 1, 2, … with names.
type named []string

func (n named) Ticks(lo, hi float64) []plot.Tick {
	ts := make([]plot.Tick, len(n))
	for i, s := range n {
		ts[i] = plot.Tick{Value: float64(i), Label: s}
	}
	return ts
}

// unmarked is an axis without ticks.
type unmarked struct{}

func (unmarked) Ticks(lo, hi float64) []plot.Tick { return nil }

// shares labels the ticks of a linear axis in percent.
type shares struct{ linear }

func (s shares) Ticks(lo, hi float64) []plot.Tick {
	ts := s.linear.Ticks(100*lo, 100*hi)
	for i := range ts {
		ts[i].Value /= 100
		ts[i].Label += nbsp + "%"
	}
	return ts
}

// whole leaves out the ticks of a linear axis that are no whole numbers.
type whole struct{ linear }

func (w whole) Ticks(lo, hi float64) []plot.Tick {
	var ts []plot.Tick
	for _, t := range w.linear.Ticks(lo, hi) {
		if math.Abs(t.Value-math.Round(t.Value)) < 1e-9 {
			ts = append(ts, t)
		}
	}
	return ts
}

// span is a range of values under way; the zero span is empty.
type span struct {
	lo, hi float64
	some   bool
}

// add extends s to the finite values of xs.
func (s *span) add(xs ...float64) {
	for _, x := range xs {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		if !s.some {
			s.lo, s.hi, s.some = x, x, true
		}
		s.lo, s.hi = min(s.lo, x), max(s.hi, x)
	}
}

// padded returns the range with a share of its length added at both ends. It is never
// empty, and never wider than float64 can subtract.
func (s span) padded(by float64) (lo, hi float64) {
	if !s.some {
		return 0, 1
	}
	lo, hi = max(s.lo, -math.MaxFloat64/4), min(s.hi, math.MaxFloat64/4)
	d := (hi - lo) * by
	if hi-lo <= 1e-12*max(math.Abs(lo), math.Abs(hi)) {
		d = max(math.Abs(lo)/2, 1e-300)
		if lo == 0 {
			d = 1
		}
	}
	return lo - d, hi + d
}

// clamp returns the number nearest to x from lo to hi.
func clamp(x, lo, hi float64) float64 { return min(max(x, lo), hi) }
