package dataset

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
)

// FuzzScanner: rows, and the lines of their fields, are those of encoding/csv, however the
// text arrives; what that refuses is refused at the same place.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a,b\r\n\r\n1,\"2\r\n3\"\r\n", " a, \"b\" ,c\n", "\"a\"\"b\",c", "\"a", "\"a\n", "\"a\"b,c\n", "a\"b\n",
		"\"\"\n", "\r", "a\r", "\"a\nb\",\"c\nd\"\ne,f\n", "a;\u00a0\"b\"\n\"\n\n\"", ",,\n,", "x\r\ny", "\"x\"\r\n\"y\"\r",
		"0123456,0123456789,,01234567\n,01234567,\n",
	} {
		for _, comma := range []rune{',', ';', '\t', '§'} {
			f.Add([]byte(s), comma)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, comma rune) {
		if bytes.IndexByte(in, 0) >= 0 || !validComma(comma) || len(in) > 0 && (in[0] == '{' || in[0] == '[' || in[0] == '<' || in[0] >= 0x80) {
			return // refused before it is split
		}
		want := csv.NewReader(bytes.NewReader(in))
		want.Comma, want.FieldsPerRecord, want.TrimLeadingSpace = comma, -1, !unicode.IsSpace(comma)
		readers := []io.Reader{bytes.NewReader(in), iotest.OneByteReader(bytes.NewReader(in)), iotest.DataErrReader(bytes.NewReader(in))}
		var scanners []*scanner
		for _, r := range readers {
			scanners = append(scanners, newScanner(&source{r: r, name: "t"}, "t", comma))
		}
		for {
			fields, err := want.Read()
			for k, s := range scanners {
				got := s.next()
				var parse *csv.ParseError
				switch {
				case err == io.EOF && got == io.EOF:
				case errors.As(err, &parse):
					e, ok := got.(*Error)
					if !ok || e.Line != parse.Line && e.Line != parse.StartLine || parse.Line == parse.StartLine && !bytes.Contains([]byte(e.Msg), fmt.Appendf(nil, "byte %d ", parse.Column)) {
						t.Fatalf("reader %d: %v, want %v", k, got, err)
					}
				case err != nil || got != nil:
					t.Fatalf("reader %d: %v, want %v", k, got, err)
				default:
					have := make([]string, len(s.fields))
					for i, b := range s.fields {
						have[i] = string(b)
						if s.trim { // whoever reads a field trims it; csv does so on the left
							have[i] = strings.TrimLeftFunc(have[i], unicode.IsSpace)
							fields[i] = strings.TrimLeftFunc(fields[i], unicode.IsSpace)
						}
						if line, _ := want.FieldPos(i); s.fieldLine(i) != line {
							t.Fatalf("reader %d: field %d of %q is in line %d, want %d", k, i, have, s.fieldLine(i), line)
						}
					}
					if !reflect.DeepEqual(have, fields) {
						t.Fatalf("reader %d: %q, want %q", k, have, fields)
					}
				}
			}
			if err != nil {
				return
			}
		}
	})
}
