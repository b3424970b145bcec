package report

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/multigrade/multigrade/mgdl"
)

const (
	nbsp  = "\u00a0"
	minus = "−"
	none  = "–" // stands for a value that does not exist
)

// num shows x with four significant digits, from 1000 on with all digits before the
// point, from 10 million on in millions, very large and small values with an exponent.
func num(x float64) string {
	a := math.Abs(x)
	var s string
	switch {
	case math.IsNaN(x):
		return none
	case math.IsInf(x, 0):
		s = "∞"
	case a == 0:
		return "0"
	case a >= 1e10 || a < 1e-3:
		s = exponent(strconv.FormatFloat(a, 'e', 2, 64))
	case a >= 1e7:
		s = significant(a/1e6) + "M"
	case a == math.Trunc(a) || a >= 1000:
		s = group(strconv.FormatFloat(a, 'f', 0, 64))
	case a >= 999.95:
		s = "1,000"
	default:
		s = significant(a)
	}
	if x < 0 {
		s = minus + s
	}
	return s
}

// significant shows a positive number below 10,000 with four significant digits.
func significant(a float64) string {
	a, _ = strconv.ParseFloat(strconv.FormatFloat(a, 'e', 3, 64), 64) // 0.99996 has the digits of 1
	return strconv.FormatFloat(a, 'f', max(0, 3-int(math.Floor(math.Log10(a)))), 64)
}

// exponent drops the padding of an exponent: 3.03e-04 becomes 3.03e−4.
func exponent(s string) string {
	m, e, ok := strings.Cut(s, "e")
	if !ok {
		return s
	}
	sign := ""
	if e[0] == '-' {
		sign = minus
	}
	return m + "e" + sign + strings.TrimLeft(e, "+-0")
}

// raw shows a value of a data row as somebody would find it in the file.
func raw(x float64) string {
	return strconv.FormatFloat(x, 'g', 6, 64)
}

// count shows a whole number with its thousands apart.
func count(n int) string { return group(strconv.Itoa(n)) }

// group sets commas between the thousands of a string of digits.
func group(s string) string {
	for i := len(s) - 3; i > 0; i -= 3 {
		if s[i-1] == '-' {
			break
		}
		s = s[:i] + "," + s[i:]
	}
	return s
}

// share shows a part of a whole in percent, with a decimal or two significant digits of
// what is there and, near 100 %, of what is missing.
func share(x float64) string {
	p, a := 100*x, math.Abs(100*x)
	switch {
	case math.IsNaN(p) || math.IsInf(p, 0):
		return none
	case a == 0:
		return "0" + nbsp + "%"
	case a < 1e-4 && p > 0:
		return "<" + nbsp + "0.0001" + nbsp + "%"
	}
	d := 1
	if a < 10 {
		d = min(5, 1-int(math.Floor(math.Log10(a))))
	}
	if left := 100 - p; left > 0 && left < 10 {
		d = min(4, max(1, int(math.Ceil(-math.Log10(left)))+1))
	}
	s := strconv.FormatFloat(a, 'f', d, 64)
	if p < 100 && strings.TrimRight(s, "0") == "100." {
		s = "99." + strings.Repeat("9", d) // never round up to perfection
	}
	for a >= 90 && d > 1 && strings.HasSuffix(s, "0") {
		s, d = s[:len(s)-1], d-1
	}
	if p == 100 {
		s = "100"
	}
	if p < 0 {
		s = minus + s
	}
	return s + nbsp + "%"
}

// nanos shows a duration given in nanoseconds.
func nanos(ns float64) string {
	switch {
	case math.IsNaN(ns) || ns <= 0:
		return none
	case ns < 1e3:
		return three(ns) + nbsp + "ns"
	case ns < 1e6:
		return three(ns/1e3) + nbsp + "µs"
	}
	return three(ns/1e6) + nbsp + "ms"
}

// three shows a positive number below 1000 or so with three significant digits.
func three(x float64) string {
	return strconv.FormatFloat(x, 'f', min(2, max(0, 2-int(math.Floor(math.Log10(x))))), 64)
}

// plural is "1 row" or "2,930 rows".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") {
		noun = strings.TrimSuffix(noun, "y") + "ie"
	}
	if strings.HasSuffix(noun, "ss") {
		noun += "e"
	}
	return count(n) + " " + noun + "s"
}

// list joins words as a sentence does and names at most three of them.
func list(words []string) string {
	switch n := len(words); {
	case n == 0:
		return "nothing"
	case n == 1:
		return words[0]
	case n <= 3:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	default:
		return strings.Join(words[:2], ", ") + " and " + count(n-2) + " more"
	}
}

// label makes a name fit to be shown: valid UTF-8 on one line without control or
// direction characters, and no longer than most runes.
func label(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.IsSpace(r) {
			return ' '
		}
		if unicode.In(r, unicode.Cf, unicode.Co, unicode.Noncharacter_Code_Point) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return "(empty)"
	}
	if r := []rune(s); len(r) > most {
		s = strings.TrimRight(string(r[:most-1]), " ") + "…"
	}
	return s
}

// value shows a raw value of a column: a level by its label, NaN as what it means.
func value(c mgdl.Column, x float64, most int) string {
	switch {
	case math.IsNaN(x):
		return "missing"
	case c.Kind != mgdl.Category:
		return raw(x)
	}
	if l, ok := level(c, x); ok {
		return label(c.Levels[l], most)
	}
	return "unknown"
}

// level returns the position in c.Levels that x stands for, if it does.
func level(c mgdl.Column, x float64) (int, bool) {
	if l := int(x); float64(l) == x && l >= 0 && l < len(c.Levels) {
		return l, true
	}
	return 0, false
}

// widths is "linear" or "64, 64", with the number of networks before it if there are
// several: "8 × (64, 64)".
func widths(g mgdl.GradeInfo) string {
	if len(g.Hidden) == 0 {
		return none
	}
	w := make([]string, len(g.Hidden))
	for i, h := range g.Hidden {
		w[i] = strconv.Itoa(h)
	}
	s := strings.Join(w, ", ")
	if g.Networks > 1 {
		return strconv.Itoa(g.Networks) + nbsp + "×" + nbsp + "(" + s + ")"
	}
	return s
}

// above shows a bound with three significant digits, rounded up.
func above(x float64) string { return exponent(strconv.FormatFloat(RoundUp(x), 'g', -1, 64)) }

// RoundUp returns the least number with three significant digits that is not below x, so that a bound
// can be shown.
func RoundUp(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 0) {
		return x
	}
	m, exp, _ := strings.Cut(strconv.FormatFloat(x, 'e', 2, 64), "e")
	up, _ := strconv.ParseFloat(m+"e"+exp, 64) // as it was written
	if up < x {
		digits, _ := strconv.ParseFloat(m, 64)
		up, _ = strconv.ParseFloat(strconv.FormatFloat(digits+0.01, 'f', 2, 64)+"e"+exp, 64)
	}
	return up
}
