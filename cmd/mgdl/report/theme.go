package report

import (
	"fmt"
	"image/color"
	"strings"
)

// A tone is a colour by its part in the page. Charts are drawn in the light values,
// and each is then replaced by the style sheet's variable of that name, so one SVG
// serves light pages, dark pages and paper.
type tone int

const (
	paper tone = iota
	panel
	ink
	muted
	rule
	grid
	accent
	second
	third
	fourth
	fifth
	sixth
	dot
	onAccent
	figureInk // ink on top of lines: with a seam in the colour of the page
)

var tones = [...]struct {
	name        string
	light, dark uint32
	css         string // of text in this tone, besides its colour
}{
	paper:     {"paper", 0xfdfdfb, 0x15181d, ""},
	panel:     {"panel", 0xf3f4f1, 0x1e2229, ""},
	ink:       {"ink", 0x1c2530, 0xe6e9ee, ""},
	muted:     {"muted", 0x626d7b, 0x9aa5b4, ""},
	rule:      {"rule", 0xaab3bf, 0x566070, ""},
	grid:      {"grid", 0xe3e6ea, 0x2c323b, ""},
	accent:    {"accent", 0x1f66ad, 0x6db0f2, ""},
	second:    {"second", 0xc8551b, 0xf39a5f, ""},
	third:     {"third", 0x2c8a68, 0x62c9a0, ""},
	fourth:    {"fourth", 0x8a55a5, 0xc39be0, ""},
	fifth:     {"fifth", 0x9c7a12, 0xdcb84a, ""},
	sixth:     {"sixth", 0xb83f6b, 0xee86ac, ""},
	dot:       {"dot", 0x48709c, 0x86b4e0, ""},
	onAccent:  {"on-accent", 0xfafcff, 0x10151c, ""},
	figureInk: {"figure-ink", 0x262f3a, 0xe6e9ee, ";paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round"},
}

// classTones are the colours that tell classes apart in pictures.
var classTones = [...]tone{accent, second, third, fourth, fifth, sixth}

// opaque returns t as the colour to draw with.
func (t tone) opaque() color.NRGBA { return t.alpha(1) }

// alpha returns t with the given opacity.
func (t tone) alpha(a float64) color.NRGBA {
	v := tones[t].light
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: uint8(a*255 + 0.5)}
}

// nearest returns the tone whose light value is r, g, b. Colours come back from the
// SVG writer up to 2 off where they were translucent: it goes through multiplied values.
func nearest(r, g, b int) (tone, bool) {
	for t := range tones {
		v := int(tones[t].light)
		if near(v>>16, r) && near(v>>8&255, g) && near(v&255, b) {
			return tone(t), true
		}
	}
	return 0, false
}

func near(a, b int) bool { return a-b <= 2 && b-a <= 2 }

// variables declares the tones for the style sheet. Dark is for screens only: paper
// is always light.
func variables() string {
	var light, dark strings.Builder
	for _, t := range tones {
		fmt.Fprintf(&light, "--%s:#%06x;", t.name, t.light)
		fmt.Fprintf(&dark, "--%s:#%06x;", t.name, t.dark)
	}
	return ":root{color-scheme:light;" + light.String() + "}\n" +
		"@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;" + dark.String() + "}}\n"
}
