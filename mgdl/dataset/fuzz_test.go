package dataset

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/multigrade/multigrade/mgdl"
)

// FuzzReadCSV: nothing panics, faults of the data are typed, and a table that is
// accepted keeps mgdl.Data's rules and reads as the same rows for its own schema.
func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{
		"a,b,y\n1,x,3\n,y,4\nNA,,5\n",
		"\xef\xbb\xbf\"a\";\"y\"\r\n\"1\";u\r\n2;v\r\n",
		"a,y\n1,2,3\n4\n\"5\n",
		"a,b\n1e999,2\n0x1,3\n1_0,4\n",
		",a,y\n0,1,1\n1,2,2\n",
		"y\n1\n\"\"\n",
		"a\tb\n1\t2\n",
		"1,2\n3,4\n",
		"a,a\n1,2\n",
		"a,y\n01,1\n1,1.0\n1.0,2\n",
		"\x89PNG\r\n\x1a\n\x00",
		"PK\x03\x04",
		"a,y\n\xff,1\n\xfe,2\n",
		"a,y\r1,2\r",
	} {
		f.Add([]byte(s), byte(0))
		f.Add([]byte(s), byte(255))
	}
	f.Fuzz(func(t *testing.T, in []byte, how byte) {
		o := Options{
			Task:  [...]string{"auto", "regress", "classify", ""}[how&3],
			Comma: [...]rune{0, ';', '\t', ' '}[how>>2&3],
		}
		if how&16 != 0 {
			o.Target = []string{"y"}
		}
		if how&32 != 0 {
			o.Category = []string{"a"}
		}
		if how&64 != 0 {
			o.Drop = []string{"b"}
		}
		d, info, err := ReadCSV(bytes.NewReader(in), "t.csv", o)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		checkData(t, d, info)

		again, err := ReadCSVFor(iotest.HalfReader(bytes.NewReader(in)), "t.csv", d.Schema, o.Comma, true)
		if err != nil {
			t.Fatalf("accepted for training and refused for its schema: %v", err)
		}
		if !sameBits(again.X, d.X) || !sameBits(again.Y, d.Y) {
			t.Fatalf("X %v, Y %v for training\nX %v, Y %v for its schema", d.X, d.Y, again.X, again.Y)
		}
		checkFuzzStream(t, in, d, o.Comma)
		checkFuzzWriter(t, d)
	})
}

// checkFuzzError checks that an error is typed and as long as it may be.
func checkFuzzError(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%T: %v", err, err)
	}
	if s := err.Error(); strings.Count(s, "\n") > maxShown || len(s) > 2000 {
		t.Fatalf("error of %d bytes: %s", len(s), s)
	}
	Hints(err)
}

// checkFuzzStream reads the rows of d one at a time.
func checkFuzzStream(t *testing.T, in []byte, d mgdl.Data, comma rune) {
	t.Helper()
	st, err := NewStream(iotest.OneByteReader(bytes.NewReader(in)), "t.csv", d.Schema, comma)
	if err != nil {
		t.Fatal(err)
	}
	var x []float64
	for {
		x, err = st.Next(x)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !sameBits(x, d.X) {
		t.Fatalf("stream gives %v, want %v", x, d.X)
	}
}

// checkFuzzWriter writes the targets as if they were predicted and reads them back.
func checkFuzzWriter(t *testing.T, d mgdl.Data) {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, d.Schema, true)
	rows := d.Y
	if d.Schema.Task == mgdl.Classification {
		n := len(d.Schema.Targets[0].Levels)
		rows = make([]float64, n*d.Rows)
		for i, v := range d.Y {
			rows[i*n+int(v)] = 1
		}
	}
	if err := errors.Join(w.Write(rows), w.Flush()); err != nil {
		t.Fatal(err)
	}
	back := mgdl.Schema{Features: d.Schema.Targets}
	got, err := ReadCSVFor(&b, "t.csv", back, ',', false)
	if err != nil {
		t.Fatalf("written and refused: %v", err)
	}
	if !sameBits(got.X, d.Y) {
		t.Fatalf("written %v, read %v", d.Y, got.X)
	}
}

func sameBits(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) && (a[i] == a[i] || b[i] == b[i]) {
			return false
		}
	}
	return true
}
