package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestParseShort: whatever is taken has the value strconv gives it, and the numbers that
// tables are full of are taken.
func TestParseShort(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const alphabet = "0123456789.+-eE, 9"
	taken := 0
	check := func(s string) bool {
		room := append([]byte(s), "8,8,8,8,8,8,8,8,8,8,8,8,8"...)
		got, ok := parseShort(room[:len(s)])
		if !ok {
			return false
		}
		want, err := strconv.ParseFloat(s, 64)
		if err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%q is %v, want %v (%v)", s, got, want, err)
		}
		return true
	}
	for range 200000 {
		b := make([]byte, 1+r.IntN(22))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		if check(string(b)) {
			taken++
		}
		v := (r.Float64() - 0.5) * math.Pow(10, float64(r.IntN(9)))
		if s := strconv.FormatFloat(v, 'f', r.IntN(7), 64); !check(s) {
			t.Fatalf("%q is not taken", s)
		}
		if s := strconv.FormatFloat(r.Float64()*100, 'f', 17, 64); !check(s) {
			t.Fatalf("%q is not taken", s)
		}
		check(fmt.Sprintf("%d.%0*d", r.IntN(10), 1+r.IntN(18), r.Uint64()>>r.IntN(64)))
	}
	if taken < 1000 {
		t.Errorf("only %d random texts were numbers", taken)
	}
	for _, s := range []string{"0", "-0", "+7", "5.", ".5", "-.5", "00012", "9007199254740991", "9007199254740993", "9999999999999999999", "0.000000000000000000", ".9007199254740993000", "0.00000000000001", "123456789.25"} {
		if !check(s) {
			t.Errorf("%q is not taken", s)
		}
	}
	for range 20000 { // halfway between two float64, and next to it
		odd := r.Uint64()>>11 | 1<<52
		k := 1 + r.IntN(9)
		half := strconv.FormatFloat(float64(odd)/float64(uint64(1)<<53), 'f', 19, 64)
		check(half[:2+10+k])
		check(strconv.FormatUint(odd<<1|1, 10))
		check(strconv.FormatUint(odd<<1|1, 10) + ".0")
	}
	for _, s := range []string{".", "-", "+", "-.", "--1", "1.2.3", "1..", "1e5", "12345678.1234567.", ".1234567.12345678", "10000000000000000000", "1.2345678.12345678", "0x10", "1,5", "1/2", "1:2", "٣"} {
		if check(s) {
			t.Errorf("%q is taken", s)
		}
	}
}

// TestPacked: what was put in comes out, to the bit, and numbers that need few bytes take
// few.
func TestPacked(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	round := func(v float64, digits int) float64 {
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'f', digits, 64), 64)
		return v
	}
	negativeZero := math.Copysign(0, -1)
	for _, c := range []struct {
		name  string
		value func(i int) float64
		bytes float64 // a value, at most
	}{
		{"Constant", func(int) float64 { return 12.5 }, 0.1},
		{"Missing", func(int) float64 { return math.NaN() }, 0.1},
		{"Category", func(int) float64 { return float64(r.IntN(200)) }, 1.1},
		{"CategoryMissing", func(i int) float64 { return []float64{math.NaN(), float64(r.IntN(255))}[i%2] }, 1.1},
		{"FullByteMissing", func(i int) float64 { return []float64{math.NaN(), float64(i % 256)}[r.IntN(2)] }, 2.1},
		{"Six", func(int) float64 { return round(r.Float64(), 6) }, 3.1},
		{"Prices", func(int) float64 { return round(1000*r.Float64(), 2) }, 3.1},
		{"Mixed", func(i int) float64 { return round(r.NormFloat64()*100, i%7) }, 4.1},
		{"Single", func(int) float64 { return float64(r.Float32()) }, 4.1},
		{"SingleMissing", func(i int) float64 { return []float64{math.NaN(), float64(r.Float32())}[i%2] }, 4.1},
		{"Double", func(int) float64 { return r.NormFloat64() }, 8.1},
		{"Large", func(int) float64 { return float64(r.Int64()) }, 8.1},
		{"Extremes", func(i int) float64 {
			return []float64{math.MaxFloat64, -math.MaxFloat64, 5e-324, 0, negativeZero, 1 << 53, math.NaN()}[i%7]
		}, 8.1},
		{"NegativeZero", func(i int) float64 { return []float64{0, negativeZero, 1}[i%3] }, 1.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, rows := range []int{0, 1, 63, 1023, 1024, 1025, 5000} {
				const width = 64
				p := newPacker(width)
				var want []float64
				for i := range rows * width {
					want = append(want, c.value(i))
				}
				for i := range rows {
					copy(p.add(), want[i*width:(i+1)*width])
				}
				packed := p.finish()
				if got := float64(packed.Bytes()); rows == 5000 && got > c.bytes*float64(len(want)) {
					t.Errorf("%d rows take %.2f bytes a value, want at most %v", rows, got/float64(len(want)), c.bytes)
				}
				lo := rows / 3
				some := make([]float64, (rows-lo)*width)
				packed.ReadRows(some, lo)
				if !sameBits(some, want[lo*width:]) {
					t.Fatalf("%d rows: rows from %d on differ", rows, lo)
				}
				col := make([]float64, rows)
				packed.ReadColumn(col, 7)
				for i, v := range col {
					if w := want[i*width+7]; !sameBits([]float64{v}, []float64{w}) {
						t.Fatalf("%d rows: row %d of column 7 is %v, want %v", rows, i, v, w)
					}
				}
				wantLo, wantHi := extent(col, 0, 1)
				if lo, hi := packed.columns[7].extent(); lo != wantLo || hi != wantHi {
					t.Fatalf("%d rows: column 7 reaches from %v to %v, want %v to %v", rows, lo, hi, wantLo, wantHi)
				}
				if !sameBits(packed.flat(), want) {
					t.Fatalf("%d rows: the table differs", rows)
				}
			}
		})
	}
}
