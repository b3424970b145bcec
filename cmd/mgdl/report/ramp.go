package report

import (
	"fmt"
	"image/color"
	"math"
	"strings"
)

// A ramp colours numbers in pictures, which cannot follow the style sheet: its colours
// are for light and dark pages alike.
type ramp int

const (
	viridis   ramp = iota // from dark violet over green to yellow, even to the eye
	grays                 // of images
	diverging             // blue below, orange above, clear at 0
)

func (r ramp) name() string { return [...]string{"viridis", "grays", "diverging"}[r] }

// stops are the colours at even distances along the ramp.
func (r ramp) stops() []color.NRGBA {
	switch r {
	case grays:
		return []color.NRGBA{{0, 0, 0, 255}, {255, 255, 255, 255}}
	case diverging:
		return []color.NRGBA{{40, 118, 200, 255}, {40, 118, 200, 0}, {222, 98, 34, 0}, {222, 98, 34, 255}}
	}
	return []color.NRGBA{{68, 1, 84, 255}, {72, 40, 120, 255}, {62, 74, 137, 255}, {49, 104, 142, 255}, {38, 130, 142, 255},
		{31, 158, 137, 255}, {53, 183, 121, 255}, {110, 206, 88, 255}, {181, 222, 43, 255}, {253, 231, 37, 255}}
}

// at is the colour at a position from 0 to 1.
func (r ramp) at(x float64) color.NRGBA {
	s := r.stops()
	if r == diverging { // its middle stops are both at one half
		d := 2*x - 1
		c := s[0]
		if d > 0 {
			c = s[3]
		}
		c.A = uint8(255*math.Abs(d) + 0.5)
		return c
	}
	x *= float64(len(s) - 1)
	i := min(int(x), len(s)-2)
	f := x - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*f + 0.5) }
	return color.NRGBA{mix(s[i].R, s[i+1].R), mix(s[i].G, s[i+1].G), mix(s[i].B, s[i+1].B), 255}
}

// palette is clear at 0 and the ramp from 1 to 254.
func (r ramp) palette() color.Palette {
	p := color.Palette{color.NRGBA{}}
	for i := range 254 {
		p = append(p, r.at(float64(i)/253))
	}
	return p
}

// rampCSS declares the ramps as backgrounds of .scale.
func rampCSS() string {
	var b strings.Builder
	for _, r := range []ramp{viridis, grays, diverging} {
		var stops []string
		for i := range 11 {
			c := r.at(float64(i) / 10)
			stops = append(stops, fmt.Sprintf("rgba(%d,%d,%d,%.2f)", c.R, c.G, c.B, float64(c.A)/255))
		}
		fmt.Fprintf(&b, ".scale .%s{background:linear-gradient(90deg,%s)}\n", r.name(), strings.Join(stops, ","))
	}
	return b.String()
}

// blend mixes the colours of the classes by their probabilities.
func blend(p []float64) color.NRGBA {
	var r, g, b float64
	for c, w := range p {
		if math.IsNaN(w) {
			return color.NRGBA{}
		}
		t := classTones[c].opaque()
		r, g, b = r+w*float64(t.R), g+w*float64(t.G), b+w*float64(t.B)
	}
	return color.NRGBA{uint8(clamp(r, 0, 255)), uint8(clamp(g, 0, 255)), uint8(clamp(b, 0, 255)), 130}
}
