package report

import (
	"image"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The marks that charts are made of. Each implements plot.Plotter, skips what is not
// finite and cuts off at the edges of the plot.

type xy struct{ x, y float64 }

func (p xy) finite() bool {
	return !math.IsNaN(p.x+p.y) && !math.IsInf(p.x, 0) && !math.IsInf(p.y, 0)
}

// gridLines draws a light line at each tick of the y axis.
type gridLines struct{}

func (gridLines) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if at := y(t.Value); c.ContainsY(at) {
			c.StrokeLine2(stroke(grid, 1), c.Min.X, at, c.Max.X, at)
		}
	}
}

// curve joins points by lines and starts anew after a point that is not finite. A
// piece of a single point becomes a dot.
type curve struct {
	pts []xy
	draw.LineStyle
}

func (l curve) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var piece []vg.Point
	flush := func() {
		if len(piece) == 1 {
			piece = append(piece, piece[0])
		}
		if len(piece) > 0 {
			c.StrokeLines(l.LineStyle, c.ClipLinesXY(piece)...)
		}
		piece = nil
	}
	for _, q := range l.pts {
		if !q.finite() {
			flush()
			continue
		}
		piece = append(piece, vg.Point{X: x(q.x), Y: y(q.y)})
	}
	flush()
}

// dots draws points as strokes of no length with round ends: a tenth of the bytes that
// circles take. They come in a few paths, since opacity adds up only between paths.
type dots struct {
	pts   []xy
	tone  tone
	alpha float64
	width float64
}

func (d dots) Plot(c draw.Canvas, p *plot.Plot) {
	const paths = 8
	x, y := p.Transforms(&c)
	c.SetLineStyle(draw.LineStyle{Color: d.tone.alpha(d.alpha), Width: vg.Length(d.width)})
	for k := range paths {
		var path vg.Path
		for i := k; i < len(d.pts); i += paths {
			if q := d.pts[i]; q.finite() {
				if at := (vg.Point{X: x(q.x), Y: y(q.y)}); c.Contains(at) {
					path.Move(at)
					path.Line(at)
				}
			}
		}
		if len(path) > 0 {
			c.Stroke(path)
		}
	}
}

// ring draws one round mark of the given radius around a point, filled or not.
type ring struct {
	at     xy
	radius float64
	tone   tone
	filled bool
}

func (r ring) Plot(c draw.Canvas, p *plot.Plot) {
	if !r.at.finite() {
		return
	}
	x, y := p.Transforms(&c)
	at := vg.Point{X: x(r.at.x), Y: y(r.at.y)}
	var path vg.Path
	path.Move(vg.Point{X: at.X + vg.Length(r.radius), Y: at.Y})
	path.Arc(at, vg.Length(r.radius), 0, 2*math.Pi)
	path.Close()
	c.SetColor(paper.opaque())
	if r.filled {
		c.SetColor(r.tone.opaque())
	}
	c.Fill(path)
	c.SetLineStyle(stroke(r.tone, 1.5))
	c.Stroke(path)
}

// box fills a rectangle given in data coordinates, less a gap in page units at its right and top.
type box struct {
	x0, y0, x1, y1 float64
	tone           tone
	alpha, gap     float64
}

func (b box) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	g := vg.Length(b.gap)
	r := vg.Rectangle{
		Min: vg.Point{X: min(x(b.x0), x(b.x1)), Y: min(y(b.y0), y(b.y1))},
		Max: vg.Point{X: max(x(b.x0), x(b.x1)) - g, Y: max(y(b.y0), y(b.y1)) - g},
	}
	if r.Max.X > r.Min.X && r.Max.Y > r.Min.Y {
		c.SetColor(b.tone.alpha(b.alpha))
		c.Fill(r.Path())
	}
}

// words sets a text at a point given in data coordinates, moved by page units.
type words struct {
	at     xy
	dx, dy float64
	text   string
	draw.TextStyle
}

func (w words) Plot(c draw.Canvas, p *plot.Plot) {
	if !w.at.finite() || w.text == "" {
		return
	}
	x, y := p.Transforms(&c)
	c.FillText(w.TextStyle, vg.Point{X: x(w.at.x) + vg.Length(w.dx), Y: y(w.at.y) + vg.Length(w.dy)}, w.text)
}

// upright draws a vertical line through the whole plot, with a text at its upper end.
type upright struct {
	x    float64
	text string
	draw.LineStyle
}

func (u upright) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	at := x(u.x)
	c.StrokeLine2(u.LineStyle, at, c.Min.Y, at, c.Max.Y)
	if u.text != "" {
		c.FillText(style(muted, tickSize, draw.XLeft, draw.YTop), vg.Point{X: at + 4, Y: c.Max.Y}, u.text)
	}
}

// picture stretches an image over the whole plot.
type picture struct{ image.Image }

func (m picture) Plot(c draw.Canvas, _ *plot.Plot) { c.DrawImage(c.Rectangle, m.Image) }

// frame outlines the plot.
type frame struct{}

func (frame) Plot(c draw.Canvas, _ *plot.Plot) {
	c.SetLineStyle(stroke(rule, 0.75))
	var path vg.Path
	path.Move(c.Min)
	path.Line(vg.Point{X: c.Max.X, Y: c.Min.Y})
	path.Line(c.Max)
	path.Line(vg.Point{X: c.Min.X, Y: c.Max.Y})
	path.Close()
	c.Stroke(path)
}
