package dataset

import (
	"image"
	"image/color"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

// targets returns the names of the targets of a schema.
func targets(s mgdl.Schema) (names []string) {
	for _, c := range s.Targets {
		names = append(names, c.Name)
	}
	return names
}

func TestReadImage(t *testing.T) {
	grey8 := image.NewGray(image.Rect(3, 4, 5, 5)) // bounds need not begin at 0
	grey8.SetGray(3, 4, color.Gray{255})
	grey8.SetGray(4, 4, color.Gray{51})
	grey16 := image.NewGray16(image.Rect(0, 0, 1, 2))
	grey16.SetGray16(0, 0, color.Gray16{1})
	grey16.SetGray16(0, 1, color.Gray16{65535})
	palette := image.NewPaletted(image.Rect(0, 0, 2, 1), color.Palette{color.RGBA{255, 0, 51, 255}, color.RGBA{0, 255, 102, 255}})
	palette.Pix[1] = 1
	clear := image.NewRGBA(image.Rect(0, 0, 2, 1)) // multiplied by opacity
	clear.SetRGBA(0, 0, color.RGBA{51, 0, 102, 102})
	clear.SetRGBA(1, 0, color.RGBA{255, 255, 0, 255})
	red := image.NewNRGBA(image.Rect(0, 0, 2, 1)) // green and blue are equal
	red.SetNRGBA(0, 0, color.NRGBA{255, 51, 51, 255})
	red.SetNRGBA(1, 0, color.NRGBA{0, 102, 102, 255})
	same := image.NewNRGBA(image.Rect(0, 0, 2, 1)) // colours, of which there are none
	same.SetNRGBA(0, 0, color.NRGBA{51, 51, 51, 255})
	same.SetNRGBA(1, 0, color.NRGBA{0, 0, 0, 255})
	for _, c := range []struct {
		name    string
		m       image.Image
		o       Options
		targets []string
		x, y    string
	}{
		{"Grey8", grey8, Options{}, []string{"intensity"}, "0.25 0.5|0.75 0.5", "1|0.2"},
		{"Grey16", grey16, Options{}, []string{"intensity"}, "0.5 0.25|0.5 0.75", "1.5259021896696422e-05|1"},
		{"Palette", palette, Options{}, []string{"r", "g", "b"}, "0.25 0.5|0.75 0.5", "1 0 0.2|0 1 0.4"},
		{"Opacity", clear, Options{}, []string{"r", "g", "b", "a"}, "0.25 0.5|0.75 0.5", "0.49999237048905165 0 1 0.4|1 1 0 1"},
		{"Red", red, Options{}, []string{"r", "g", "b"}, "0.25 0.5|0.75 0.5", "1 0.2 0.2|0 0.4 0.4"},
		{"Colourless", same, Options{}, []string{"intensity"}, "0.25 0.5|0.75 0.5", "0.2|0"},
		{"One", palette, Options{Target: []string{"b"}}, []string{"b"}, "0.25 0.5|0.75 0.5", "0.2|0.4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, info, err := ReadImage(c.m, "a.png", c.o)
			require.NoError(t, err)
			checkData(t, d, info)
			require.Equal(t, c.targets, targets(d.Schema))
			require.Equal(t, c.x, show(d.X, 2))
			require.Equal(t, c.y, show(d.Y, len(c.targets)))
			require.Equal(t, len(c.targets) != 1 || c.targets[0] != "b", IsImage(d.Schema))

			again, err := ReadImageFor(c.m, "a.png", d.Schema, true)
			require.NoError(t, err)
			require.True(t, sameBits(d.X, again.X) && sameBits(d.Y, again.Y))
			b := c.m.Bounds()
			require.Equal(t, d.X, Pixels(b.Dx(), b.Dy()))
			if IsImage(d.Schema) && c.name != "Grey16" && c.name != "Opacity" { // those need more than 8 bits
				drawn, err := ReadImageFor(Picture(d.Y, len(c.targets), b.Dx(), b.Dy()), "b.png", d.Schema, true)
				require.NoError(t, err)
				require.True(t, sameBits(d.Y, drawn.Y), "%v is drawn as %v", d.Y, drawn.Y)
			}
		})
	}
	// A model of colours is measured on a picture without.
	colors, _, err := ReadImage(palette, "a.png", Options{})
	require.NoError(t, err)
	d, err := ReadImageFor(grey8, "b.png", colors.Schema, true)
	require.NoError(t, err)
	require.Equal(t, "1 1 1|0.2 0.2 0.2", show(d.Y, 3))
	opacity, _, err := ReadImage(clear, "a.png", Options{})
	require.NoError(t, err)
	d, err = ReadImageFor(palette, "b.png", opacity.Schema, true)
	require.NoError(t, err)
	require.Equal(t, "1 0 0.2 1|0 1 0.4 1", show(d.Y, 4))

	_, _, err = ReadImage(image.NewGray(image.Rect(0, 0, 4, 4)), "a.png", Options{})
	require.EqualError(t, err, `a.png: column "intensity" (3): the target is the same in every row`)
	_, _, err = ReadImage(image.NewGray(image.Rectangle{}), "a.png", Options{})
	require.EqualError(t, err, "a.png: the picture has no pixels")
	_, err = ReadImageFor(palette, "a.png", d.Schema, false)
	require.NoError(t, err)
	_, err = ReadImageFor(palette, "a.png", mgdl.Schema{Features: []mgdl.Column{{Name: "area"}}}, false)
	require.ErrorContains(t, err, `a.png: no column named "area", which the model reads`)
}
