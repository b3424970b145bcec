package main

import (
	"math"
	"strings"
	"testing"
)

func TestFormula(t *testing.T) {
	x := []float64{0.3, 0.7, 0.2}
	for text, want := range map[string]float64{
		"x":                                      0.3,
		"1/3":                                    1. / 3,
		"-x^2":                                   -0.09,
		"2^3^2":                                  512,
		"x1 + 2*x3":                              0.7,
		"sin(2*pi*x)":                            math.Sin(2 * math.Pi * 0.3),
		"pow(x, 0.5) - sqrt(x)":                  0,
		"max(x1, x2, 0.5) - min(x1, x2)":         0.4,
		"abs(5*x % 1 - 0.5)":                     0,
		"x < 0.5 ? exp(1) : 0":                   math.E,
		"x < 0.5 and not (x > 0.2) ? 1 : log(e)": 1,
		"hypot(3, 4) + floor(1.5) + ceil(1.5)":   8,
		"7":                                      7,
	} {
		f, err := parseFormula(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.eval(x); !(math.Abs(got-want) < 1e-12) {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
	f, err := parseFormula("x1*x3", nil)
	if err != nil || f.dim != 3 {
		t.Errorf("x1*x3 has dimension %v, %v", f, err)
	}
	f, err = parseFormula("sqrt(h)", []string{"h"})
	if err != nil || f.eval([]float64{0.25}) != 0.5 {
		t.Errorf("sqrt(h): %v, %v", f, err)
	}
	for text, want := range map[string]string{
		"y + 1":       `"y" is not known`,
		"sin(x":       "the formula",
		"sin(x, x)":   "sin takes one argument, not 2",
		"gamma(x)":    `"gamma" is not known`,
		"x + x2":      "both x and numbered variables",
		"x < 1":       "makes no number",
		`"a"`:         "this is no number",
		"[1,2]":       "this is no number",
		"x0":          `"x0" is not known`,
		"x ? 1 : 2":   "this is no condition",
		"filter(x,1)": "the formula",
		"":            "the formula",
		"max()":       "the formula",
	} {
		if _, err := parseFormula(text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", text, err, want)
		}
	}
}
