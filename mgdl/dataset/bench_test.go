package dataset

import (
	"bytes"
	"strconv"
	"testing"
)

// BenchmarkReadCSV reads tables in memory on one core, by what is in their cells: decimals
// of six digits, whole numbers of two, and decimals that need all 17 digits of a float64.
func BenchmarkReadCSV(b *testing.B) {
	number := func(digits int) func(buf []byte, n uint64) []byte {
		return func(buf []byte, n uint64) []byte {
			v := float64(n>>11) / (1 << 52)
			if digits == 0 {
				return strconv.AppendFloat(buf, v-1, 'g', -1, 64)
			}
			return strconv.AppendFloat(buf, v-1, 'f', digits, 64)
		}
	}
	for _, c := range []struct {
		name string
		cell func(buf []byte, n uint64) []byte
	}{
		{"Digits6", number(6)},
		{"Digits17", number(0)},
		{"Small", func(buf []byte, n uint64) []byte { return strconv.AppendUint(buf, n>>58, 10) }},
		{"Text", func(buf []byte, n uint64) []byte { return append(append(buf, "level "...), 'a'+byte(n>>60)) }},
	} {
		const rows, columns = 50000, 64
		var in []byte
		for j := range columns {
			in = append(strconv.AppendInt(append(in, 'x'), int64(j), 10), ',')
		}
		in[len(in)-1] = '\n'
		state := uint64(1)
		for range rows * columns {
			state = state*6364136223846793005 + 1442695040888963407
			in = append(c.cell(in, state), ',')
		}
		for i, n := 0, 0; i < len(in); i++ {
			if in[i] == ',' && i > bytes.IndexByte(in, '\n') {
				if n++; n%columns == 0 {
					in[i] = '\n'
				}
			}
		}
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				if _, _, err := ReadCSV(bytes.NewReader(in), "t.csv", Options{Packed: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
