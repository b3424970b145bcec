package dataset

import (
	"math"
	"strconv"
	"strings"
)

// A class says what the text of a cell is.
type class int

const (
	empty    class = iota
	mark           // a text that stands for a missing number
	number         // a finite number
	infinite       // an infinite number or one too large for float64
	commas         // a number but for the commas in it
	text           // anything else
	classes
)

// parse returns what the trimmed text of a cell is, and its value, which is NaN unless
// it is a number.
func parse(s string) (float64, class) {
	nan := math.NaN()
	if s == "" {
		return nan, empty
	}
	if isMark(s) {
		return nan, mark
	}
	// ParseFloat also takes hexadecimal numbers and underscores between their digits.
	if strings.ContainsAny(s, "xX_") {
		return nan, text
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case math.IsInf(v, 0):
		return nan, infinite
	case err == nil:
		return v, number
	case hasCommas(s):
		return nan, commas
	}
	return nan, text
}

func isMark(s string) bool {
	if len(s) > 4 {
		return false
	}
	switch s {
	case "NA", "N/A", "#N/A", "<NA>", "NaN", "-NaN", "null", "None", "?":
		return true
	}
	switch strings.ToLower(s) {
	case "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none":
		return true
	}
	return false
}

// hasCommas reports whether s is digits with commas between them, perhaps with a sign
// and a fraction: a decimal comma or separated thousands.
func hasCommas(s string) bool {
	s = strings.TrimLeft(s, "+-")
	found := false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
		case c == ',' && i > 0 && i < len(s)-1:
			found = true
		case c == '.' && i > 0:
		default:
			return false
		}
	}
	return found
}
