package dataset

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"github.com/multigrade/multigrade/mgdl"
)

// The columns of a picture.
var (
	pixelColumns = [...]string{"x", "y"}           // of a pixel's centre, as shares of width and height
	greyTarget   = "intensity"                     // 0 black to 1 white
	colorTargets = [...]string{"r", "g", "b", "a"} // as far as there are colours, or transparency
)

// ReadImage returns a picture as a regression from places to colours, for training: a row a
// pixel, line by line from the top. Features are the place of the pixel's centre, x from 0
// at the left to 1 at the right edge and y from 0 at the top to 1 at the bottom. The target
// is the intensity of a picture without colours; otherwise there are three, r, g and b, and
// a fourth, a, the opacity, if a pixel is not opaque. All lie between 0 and 1, 8 or 16 bits
// fine, in the picture's own (as a rule sRGB) scale; colours are not multiplied by opacity.
//
// Options.Target chooses among the targets; one that is the same in every pixel cannot be
// learnt.
func ReadImage(m image.Image, name string, o Options) (mgdl.Data, Info, error) {
	g, err := imageGrid(m, name)
	if err != nil {
		return mgdl.Data{}, Info{}, err
	}
	return g.read(o)
}

// ReadImageFor is ReadImage for a model that exists, as ReadCSVFor reads a table. A picture
// without colours has equal r, g and b, and opacity 1.
func ReadImageFor(m image.Image, name string, s mgdl.Schema, needTarget bool) (mgdl.Data, error) {
	g, err := imageGrid(m, name)
	if err != nil {
		return mgdl.Data{}, err
	}
	g.addColors(s)
	return g.readFor(s, needTarget)
}

// IsImage reports whether a model with schema s predicts pictures: its features are those
// of ReadImage, its targets an intensity or r, g and b, and perhaps a.
func IsImage(s mgdl.Schema) bool {
	if len(s.Features) != 2 || s.Features[0].Name != pixelColumns[0] || s.Features[1].Name != pixelColumns[1] {
		return false
	}
	if len(s.Targets) == 1 && s.Targets[0].Name == greyTarget {
		return true
	}
	for i, c := range s.Targets {
		if i >= len(colorTargets) || c.Name != colorTargets[i] {
			return false
		}
	}
	return len(s.Targets) >= 3
}

// Pixels returns the raw rows of a picture of that size, as ReadImage has them.
func Pixels(width, height int) []float64 {
	x := make([]float64, 0, 2*width*height)
	for j := range height {
		for i := range width {
			x = append(x, place(i, width), place(j, height))
		}
	}
	return x
}

// place is the centre of pixel i of n.
func place(i, n int) float64 { return (float64(i) + 0.5) / float64(n) }

// Picture returns the picture whose pixels are predictions for the rows of Pixels by a model
// that IsImage. Values outside of 0 to 1 are cut, the others rounded to 8 bits.
func Picture(values []float64, targets, width, height int) image.Image {
	if width < 1 || height < 1 || len(values) != targets*width*height {
		panic("dataset: predictions are not the pixels of the picture")
	}
	level := func(v float64) uint8 { return uint8(math.RoundToEven(255 * min(max(v, 0), 1))) }
	bounds := image.Rect(0, 0, width, height)
	if targets == 1 {
		m := image.NewGray(bounds)
		for i, v := range values {
			m.Pix[i] = level(v)
		}
		return m
	}
	m := image.NewNRGBA(bounds)
	for i := range width * height {
		m.Pix[4*i+3] = 255
		for j, v := range values[i*targets : (i+1)*targets] {
			m.Pix[4*i+j] = level(v)
		}
	}
	return m
}

// MaxPixels is the most pixels of a picture.
const MaxPixels = 1 << 26

// imageGrid is a picture as a table: the place, then the colours it has.
func imageGrid(m image.Image, name string) (*grid, error) {
	b := m.Bounds()
	if b.Empty() {
		return nil, &Error{File: name, Msg: "the picture has no pixels"}
	}
	if int64(b.Dx())*int64(b.Dy()) > MaxPixels {
		return nil, &Error{File: name, Msg: fmt.Sprintf("the picture has %s × %s pixels, more than %s",
			group(b.Dx()), group(b.Dy()), group(MaxPixels))}
	}
	return pixelGrid(name, b.Dx(), b.Dy(), func(i, j int) color.NRGBA64 {
		return color.NRGBA64Model.Convert(m.At(b.Min.X+i, b.Min.Y+j)).(color.NRGBA64)
	}), nil
}

// pixelGrid is the table of a picture whose pixel in column i of line j is at(i, j).
func pixelGrid(name string, width, height int, at func(i, j int) color.NRGBA64) *grid {
	grey, opaque := true, true
	for j := range height {
		for i := range width {
			c := at(i, j)
			grey = grey && c.R == c.G && c.G == c.B
			opaque = opaque && c.A == 0xffff
		}
	}
	targets := colorTargets[:3:3]
	switch {
	case grey && opaque:
		targets = []string{greyTarget}
	case !opaque:
		targets = colorTargets[:]
	}
	g := &grid{name: name, header: append(pixelColumns[:len(pixelColumns):len(pixelColumns)], targets...), targets: targets}
	g.notes = append(g.notes, fmt.Sprintf("a picture of %s × %s pixels", group(width), group(height)))
	g.each = func(f rowFn) error {
		row := make([]float64, len(g.header))
		for j := range height {
			for i := range width {
				c := at(i, j)
				row[0], row[1] = place(i, width), place(j, height)
				colors := [...]uint16{c.R, c.G, c.B, c.A}
				for k := range row[2:] {
					row[2+k] = float64(colors[k]) / 0xffff
				}
				if err := f(row, nil); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return g
}

// addColors gives a picture without colours, or without transparency, the columns that a
// model has as targets: equal r, g and b, and opacity 1.
func (g *grid) addColors(s mgdl.Schema) {
	have := len(g.header)
	grey := have == 3
	wants := false
	for _, c := range s.Targets {
		wants = wants || c.Name == "a" && have == 5 || c.Name == "r" && grey
	}
	if !wants {
		return
	}
	g.header = append(append([]string{}, pixelColumns[:]...), colorTargets[:]...)
	inner := g.each
	g.each = func(f rowFn) error {
		row := make([]float64, len(g.header))
		return inner(func(in []float64, _ [][]byte) error {
			copy(row, in)
			if grey {
				row[3], row[4] = in[2], in[2]
			}
			row[5] = 1
			return f(row, nil)
		})
	}
}

// pictureGrid reads the array of a picture: height × width × 3 or 4 of 8 or 16 bits.
func (a *array) pictureGrid() (*grid, error) {
	height, width, channels := a.shape[0], a.shape[1], a.shape[2]
	if width == 0 || height == 0 {
		return nil, a.fault("the picture has no pixels")
	}
	if width > MaxPixels/height {
		return nil, a.fault("the picture has %s × %s pixels, more than %s", group(width), group(height), group(MaxPixels))
	}
	m := image.NewNRGBA64(image.Rect(0, 0, 0, 0))
	var pix []byte // grows with what is read, whatever the header says
	whole := uint16(0xffff)
	scale := uint16(1)
	if a.size == 1 {
		scale = 0x101
	}
	err := a.each(func(row []byte) error {
		for i := range width {
			c := [4]uint16{3: whole}
			for k := range channels {
				c[k] = uint16(a.number(row[(i*channels+k)*a.size:])) * scale
			}
			for _, v := range c {
				pix = append(pix, byte(v>>8), byte(v))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	m.Pix, m.Stride, m.Rect = pix, 8*width, image.Rect(0, 0, width, height)
	return imageGrid(m, a.file)
}
