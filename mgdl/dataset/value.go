package dataset

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
)

// A class says what the text of a cell is.
type class int32

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
func parse(s []byte) (float64, class) {
	nan := math.NaN()
	if len(s) == 0 {
		return nan, empty
	}
	if v, ok := parseShort(s); ok {
		return v, number
	}
	if isMark(s) {
		return nan, mark
	}
	// ParseFloat also takes hexadecimal numbers and underscores between their digits.
	if bytes.IndexByte(s, '_') >= 0 || bytes.IndexByte(s, 'x') >= 0 || bytes.IndexByte(s, 'X') >= 0 {
		return nan, text
	}
	v, err := strconv.ParseFloat(string(s), 64)
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

// pow10 are the powers of ten that float64 holds exactly.
var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// parseShort reads a decimal number of at most 19 digits, with a sign and a point or
// without, but without an exponent: nearly every number of a table. The value is the
// float64 nearest to the text. It looks at eight characters at a time, and needs room for
// that behind s.
func parseShort(s []byte) (v float64, ok bool) {
	const word, most = 8, 19
	sign, skip := uint64(0), 0 // set without a jump: signs of a column are hard to predict
	if s[0] == '-' {
		sign = 1 << 63
	}
	if (s[0]-'+')&^('-'-'+') == 0 {
		skip = 1
	}
	s = s[skip:]
	n := len(s)
	if n == 0 || n > most+1 || cap(s) < 3*word {
		return 0, false
	}
	var m, fraction uint64
	points := 0
	for all := s[:3*word]; n > 0; {
		k := (n-1)%word + 1 // the first word is the one that may be short
		value, after, point := digits(binary.LittleEndian.Uint64(all)<<(8*(word-k)&63), k)
		if point < 0 {
			return 0, false
		}
		scale := uint64(1e8)
		switch {
		case point > 0:
			scale = 1e7
			fraction = after
		case points > 0:
			fraction += word
		}
		m = m*scale + value // a first word has nothing before it
		points += point
		all, n = all[k:], n-k
	}
	if points > 1 || len(s) == points || len(s)-points > most {
		return 0, false
	}
	switch {
	case fraction == 0 && m < 1<<53:
		v = float64(m)
	case m < 1<<53 && fraction < uint64(len(pow10)):
		v = float64(m) / pow10[fraction] // both are exact, so this rounds once
	default:
		v = quotient(m, fraction)
	}
	return math.Float64frombits(math.Float64bits(v) | sign), true
}

// quotient returns the float64 nearest to m/10^k, for k ≤ 19.
//
// With both shifted so that their highest bits are set, the quotient of 128 by 64 bits has
// 64 bits, and the remainder tells whether there are more: the first 53 are rounded to
// nearest, to even in the middle. No quotient is near the ends of float64's range.
func quotient(m, k uint64) float64 {
	if m == 0 {
		return 0
	}
	d := uint64(1)
	for range k {
		d *= 10
	}
	e := bits.LeadingZeros64(d) - bits.LeadingZeros64(m) - 64
	m <<= bits.LeadingZeros64(m)
	d <<= bits.LeadingZeros64(d)
	high, low := m, uint64(0)
	if m >= d {
		high, low = m>>1, m<<63
		e++
	}
	q, rest := bits.Div64(high, low, d)
	const dropped = 64 - 53
	top, tail, half := q>>dropped, q&(1<<dropped-1), uint64(1)<<(dropped-1)
	if tail > half || tail == half && (rest != 0 || top&1 == 1) {
		top++
	}
	return float64(top) * math.Float64frombits(uint64(1023+e+dropped)<<52)
}

// digits reads the last n characters of w, the first of them in the lowest byte: digits,
// and perhaps a point among them. It returns the integer of the digits, how many of them
// come after the point, and the number of points, 0 or 1; −1 if there is anything else.
func digits(w uint64, n int) (value, after uint64, points int) {
	const zeros, dot = '0' * eachByte, '.' * eachByte
	w |= zeros & (1<<(8*(8-n)&63) - 1) // zeros before them
	if m := zeroBytes(w ^ dot); m != 0 {
		if m&(m-1) != 0 {
			return 0, 0, -1
		}
		points = 1
		at := bits.TrailingZeros64(m) - 7 // of the bits of the point
		after = uint64(56-at) / 8
		below := w & (1<<(at&63) - 1)
		w = w&^(1<<(at&63)*0x100-1) | below<<8 | '0'
	}
	w ^= zeros
	if (w|(w+0x76*eachByte))&(0x80*eachByte) != 0 { // a byte above 9
		return 0, 0, -1
	}
	// Pairs of digits, then of pairs, then of those.
	w = w*10 + w>>8
	w = (w&0x000000ff000000ff*(100+1000000<<32) + w>>16&0x000000ff000000ff*(1+10000<<32)) >> 32
	return w, after, points
}

// trimSpace is bytes.TrimSpace, in line for a cell that has no space to trim.
func trimSpace(s []byte) []byte {
	if n := len(s); n > 0 && (s[0]-'!' > '~'-'!' || s[n-1]-'!' > '~'-'!') {
		s = bytes.TrimSpace(s)
	}
	return s
}

func isMark(s []byte) bool {
	if len(s) > 4 {
		return false
	}
	switch string(s) {
	case "NA", "N/A", "#N/A", "<NA>", "NaN", "-NaN", "null", "None", "?":
		return true
	}
	switch string(bytes.ToLower(s)) {
	case "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none":
		return true
	}
	return false
}

// hasCommas reports whether s is digits with commas between them, perhaps with a sign
// and a fraction: a decimal comma or separated thousands.
func hasCommas(s []byte) bool {
	s = bytes.TrimLeft(s, "+-")
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
