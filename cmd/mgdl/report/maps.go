package report

import (
	"fmt"
	"html/template"
	"image"
	"image/color"
	"math"
	"path"
	"slices"
	"strings"

	"gonum.org/v1/plot"

	"github.com/multigrade/multigrade/mgdl/dataset"
)

const (
	mapPanels    = 3   // grades that get a panel of their own for two inputs
	mapCells     = 64  // cells a side of a map when values lie anywhere
	gridCells    = 80  // at most, when they lie on a grid
	pictureCells = 256 // of the longer side of an image, at most
)

// field is a grid of cells over two features.
type field struct {
	across, up int // features
	nx, ny     int
	x0, x1     float64 // outer edges
	y0, y1     float64
	picture    bool    // an image: pixels, y downwards, no axes
	wide, high int     // of an image: its pixels
	cells      [][]int // rows of the data in each cell, y·nx + x, y as the axis runs
}

func newField(s *subject) *field {
	f := &field{across: 0, up: 1}
	f.picture = s.isPicture()
	switch strings.ToLower(s.schema.Features[0].Name) {
	case "y", "row":
		f.across, f.up = 1, 0
	}
	if f.picture {
		f.pixels(s)
	} else {
		f.nx, f.x0, f.x1 = s.axis(f.across, mapCells, gridCells)
		f.ny, f.y0, f.y1 = s.axis(f.up, mapCells, gridCells)
	}
	f.cells = make([][]int, f.nx*f.ny)
	for i := range s.data.Rows {
		if x, y := s.row(i)[f.across], s.row(i)[f.up]; (xy{x, y}).finite() {
			cx := int(clamp((x-f.x0)/(f.x1-f.x0)*float64(f.nx), 0, float64(f.nx-1)))
			cy := int(clamp((y-f.y0)/(f.y1-f.y0)*float64(f.ny), 0, float64(f.ny-1)))
			f.cells[cy*f.nx+cx] = append(f.cells[cy*f.nx+cx], i)
		}
	}
	return f
}

// isPicture reports whether the rows are the pixels of an image.
func (s *subject) isPicture() bool {
	switch strings.ToLower(path.Ext(s.options.DataName)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff":
		return true
	}
	return dataset.IsImage(s.schema)
}

// pixels chooses the cells of an image: squares of as many pixels as it takes to have at
// most pictureCells a side. Its places are shares of width and height, so that only the
// number of lines and columns tells its form.
func (f *field) pixels(s *subject) {
	count := func(feature int) (n int, lo, hi float64) {
		values := map[float64]bool{}
		var xs span
		for i := range s.data.Rows {
			x := s.row(i)[feature]
			xs.add(x)
			values[x] = true
		}
		half := (xs.hi - xs.lo) / float64(max(len(values)-1, 1)) / 2
		return len(values), xs.lo - half, xs.hi + half
	}
	f.nx, f.x0, f.x1 = count(f.across)
	f.ny, f.y0, f.y1 = count(f.up)
	f.wide, f.high = f.nx, f.ny
	side := (max(f.nx, f.ny) + pictureCells - 1) / pictureCells
	f.nx, f.ny = (f.nx+side-1)/side, (f.ny+side-1)/side
}

func (f *field) pixelNote() string { return fmt.Sprintf("%d × %d pixels", f.wide, f.high) }

// centres returns raw rows at the centres of the cells.
func (f *field) centres() []float64 {
	var x []float64
	for c := range f.nx * f.ny {
		row := [2]float64{}
		row[f.across] = f.x0 + (f.x1-f.x0)*(float64(c%f.nx)+0.5)/float64(f.nx)
		row[f.up] = f.y0 + (f.y1-f.y0)*(float64(c/f.nx)+0.5)/float64(f.ny)
		x = append(x, row[:]...)
	}
	return x
}

// axis chooses cells for a feature: one for each value if these are at most most, as on
// a grid, and otherwise the given number.
func (s *subject) axis(feature, cells, most int) (n int, lo, hi float64) {
	values := map[float64]bool{}
	var xs span
	for i := range s.data.Rows {
		x := s.row(i)[feature]
		xs.add(x)
		if len(values) <= most && !math.IsNaN(x) && !math.IsInf(x, 0) {
			values[x] = true
		}
	}
	n = len(values)
	if n > most || n < 8 {
		return cells, xs.lo, xs.hi
	}
	half := (xs.hi - xs.lo) / float64(n-1) / 2
	return n, xs.lo - half, xs.hi + half
}

// mean is the mean of v over the rows of each cell; NaN where there are none.
func (f *field) mean(v func(row int) float64) []float64 {
	out := make([]float64, len(f.cells))
	for c, rows := range f.cells {
		sum := 0.0
		for _, i := range rows {
			sum += v(i)
		}
		out[c] = sum / float64(len(rows)) // 0/0 is NaN
	}
	return out
}

// image colours the cells; index 0 of the ramp is for NaN.
func (f *field) image(v []float64, lo, hi float64, r ramp) image.Image {
	m := image.NewPaletted(image.Rect(0, 0, f.nx, f.ny), r.palette())
	for c, x := range v {
		y := c / f.nx
		if !f.picture {
			y = f.ny - 1 - y // images run downwards, axes upwards
		}
		if !math.IsNaN(x) {
			m.SetColorIndex(c%f.nx, y, uint8(1+clamp((x-lo)/(hi-lo), 0, 1)*253.999))
		}
	}
	return m
}

// plot draws marks over the field, at a width in page units.
func (f *field) plot(width float64, what string, marks ...plot.Plotter) template.HTML {
	p := newPlot(false)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = f.x0, f.x1, f.y0, f.y1
	p.X.Tick.Marker, p.Y.Tick.Marker = linear{3}, linear{4}
	p.X.LineStyle.Width = 0
	p.X.Tick.Label.Font.Size, p.Y.Tick.Label.Font.Size = 10, 10
	height := width * 0.82
	if f.picture {
		p.X.Tick.Marker, p.Y.Tick.Marker = unmarked{}, unmarked{}
		p.X.Padding, p.Y.Padding = 0, 0
		height = clamp(width*float64(f.high)/float64(f.wide), width/4, width*2)
	}
	p.Add(marks...)
	p.Add(frame{})
	return render(p, width, height, what)
}

// maps shows, for two inputs, the rows and the model after each grade, and below it
// what is left over.
func maps(s *subject, sec *section, t int) part {
	f := newField(s)
	names := s.schema.Features
	y := label(s.schema.Targets[t].Name, 40)
	sec.Intro = fmt.Sprintf("Above: %s in the rows, then as the model has it after each grade. Below: what is left over. Across: %s; upwards: %s.",
		y, label(names[f.across].Name, 40), label(names[f.up].Name, 40))
	values := viridis
	if f.picture {
		values = grays
		sec.Intro = fmt.Sprintf("Above: %s in the picture, then as the model has it after each grade. Below: what is left over.", y)
	}
	shown := shownGrades(s.grades(), mapPanels)
	p := part{Columns: len(shown) + 1}
	width := float64(map[int]int{2: halfWidth, 3: 293, 4: 219}[p.Columns])

	grid := f.centres()
	truth := f.mean(func(i int) float64 { return s.truth(i, t) })
	var vs span
	vs.add(truth...)
	lo, hi := vs.padded(0)
	p.Figures = append(p.Figures, figure{Title: "The rows", Note: "mean of each cell",
		SVG: []template.HTML{f.plot(width, y, picture{f.image(truth, lo, hi, values)})},
		Scales: []scale{
			{num(lo), num(hi), values.name()},
			{"predicted too high", "too low", diverging.name()},
		}})
	if f.picture {
		p.Figures[0].Title, p.Figures[0].Note = "The picture", f.pixelNote()
	}
	for _, g := range shown {
		at := s.column(s.data.X, g, t)
		left := f.mean(func(i int) float64 { return s.truth(i, t) - at[i] })
		edge := percentile(left, 0.98)
		title, note := s.afterGrade(g)
		p.Figures = append(p.Figures, figure{Title: title, Note: note,
			SVG: []template.HTML{
				f.plot(width, y+" by "+title, picture{f.image(s.column(grid, g, t), lo, hi, values)}),
				f.plot(width, "left over by "+title, picture{f.image(left, -edge, edge, diverging)})},
			Foot: "full colour at ±" + num(edge)})
	}
	return p
}

// colorMaps is maps for an image in colours: all of them at once, and the size of what is
// left over, the root of the mean square of the colours.
func colorMaps(s *subject, sec *section) part {
	const channels = 3
	f := newField(s)
	sec.Title = "The picture, grade by grade"
	sec.Intro = "Above: the picture, then as the model has it after each grade. Below: what is left over, the root of the mean square of red, green and blue."
	shown := shownGrades(s.grades(), mapPanels)
	p := part{Columns: len(shown) + 1}
	width := float64(map[int]int{2: halfWidth, 3: 293, 4: 219}[p.Columns])
	paint := func(values [channels][]float64) image.Image {
		m := image.NewNRGBA(image.Rect(0, 0, f.nx, f.ny))
		for c := range f.cells {
			level := func(v float64) uint8 { return uint8(255*clamp(v, 0, 1) + 0.5) }
			if r := values[0][c]; !math.IsNaN(r) {
				m.SetNRGBA(c%f.nx, c/f.nx, color.NRGBA{level(r), level(values[1][c]), level(values[2][c]), 255})
			}
		}
		return m
	}
	var truth [channels][]float64
	for t := range channels {
		truth[t] = f.mean(func(i int) float64 { return s.truth(i, t) })
	}
	grid := f.centres()
	var drawn, left [][]float64 // drawn: three a grade
	var sizes []float64
	for _, g := range shown {
		squares := make([]float64, s.data.Rows)
		for t := range channels {
			at := s.column(s.data.X, g, t)
			for i, v := range at {
				e := s.truth(i, t) - v
				squares[i] += e * e / channels
			}
			drawn = append(drawn, s.column(grid, g, t))
		}
		size := f.mean(func(i int) float64 { return squares[i] })
		for c, v := range size {
			size[c] = math.Sqrt(v)
		}
		left, sizes = append(left, size), append(sizes, size...)
	}
	edge := percentile(sizes, 0.98)
	p.Figures = append(p.Figures, figure{Title: "The picture", Note: f.pixelNote(),
		SVG:    []template.HTML{f.plot(width, "the picture", picture{paint(truth)})},
		Scales: []scale{{"nothing left over", num(edge), viridis.name()}}})
	for k, g := range shown {
		title, note := s.afterGrade(g)
		if note == "" {
			note = fmt.Sprintf("RMSE %s, %.1f dB", num(s.metrics[g].RMSE), -20*math.Log10(s.metrics[g].RMSE))
		}
		p.Figures = append(p.Figures, figure{Title: title, Note: note, SVG: []template.HTML{
			f.plot(width, "the picture by "+title, picture{paint([channels][]float64(drawn[channels*k : channels*k+channels]))}),
			f.plot(width, "left over by "+title, picture{f.image(left[k], 0, edge, viridis)})}})
	}
	return p
}

// percentile is the size that a share of the finite values does not exceed; never 0.
func percentile(v []float64, of float64) float64 {
	var a []float64
	for _, x := range v {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			a = append(a, math.Abs(x))
		}
	}
	if len(a) == 0 {
		return 1
	}
	slices.Sort(a)
	if e := a[int(of*float64(len(a)-1))]; e > 0 {
		return e
	}
	return max(a[len(a)-1], 1e-300)
}

// classMaps shows, for two inputs, the classes as colours mixed by their probabilities,
// with the rows on top.
func classMaps(s *subject, sec *section) part {
	f := newField(s)
	f.nx, f.ny, f.picture = mapCells, mapCells, false
	f.x0, f.x1 = span{f.x0, f.x1, true}.padded(0.03)
	f.y0, f.y1 = span{f.y0, f.y1, true}.padded(0.03)
	names := s.schema.Features
	sec.Intro = fmt.Sprintf("Colours are classes mixed by their probabilities after each grade; dots are rows by their true class. Across: %s; upwards: %s.",
		label(names[f.across].Name, 40), label(names[f.up].Name, 40))
	grid := f.centres()
	marks := make([][]xy, s.model.Outputs())
	at := sample(s.data.Rows, linePoints)
	for _, i := range at {
		if c, ok := level(s.schema.Targets[0], s.truth(i, 0)); ok {
			marks[c] = append(marks[c], xy{s.row(i)[f.across], s.row(i)[f.up]})
		}
	}
	shown := shownGrades(s.grades(), mapPanels)
	columns, width := panels(len(shown))
	out := part{Columns: columns}
	if columns == 1 {
		out.Columns, width = 2, halfWidth
	}
	for _, g := range shown {
		m := image.NewNRGBA(image.Rect(0, 0, f.nx, f.ny))
		s.predict(grid, g, func(c int, o []float64) { m.SetNRGBA(c%f.nx, f.ny-1-c/f.nx, blend(o)) })
		layers := []plot.Plotter{picture{m}}
		for c := range marks {
			layers = append(layers, dots{marks[c], paper, 0.8, dotWidth(len(at)) + 1.6}, dots{marks[c], classTones[c], 1, dotWidth(len(at))})
		}
		title, note := s.afterGrade(g)
		out.Figures = append(out.Figures, figure{Title: title, Note: note, Keys: s.classKeys("box"),
			SVG: []template.HTML{f.plot(width, "classes by "+title, layers...)}})
	}
	return out
}
