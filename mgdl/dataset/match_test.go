package dataset

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

// weather is a schema with a column of each kind.
func weather() mgdl.Schema {
	return mgdl.Schema{
		Task: mgdl.Classification,
		Features: []mgdl.Column{
			{Name: "temp", Kind: mgdl.Number},
			{Name: "sky", Kind: mgdl.Category, Levels: []string{"", "NA", "blue", "grey"}},
			{Name: "code", Kind: mgdl.Category, Levels: []string{"1", "2.50", "10"}},
		},
		Targets: []mgdl.Column{{Name: "rain", Kind: mgdl.Category, Levels: []string{"no", "yes"}}},
	}
}

func numbers() mgdl.Schema {
	return mgdl.Schema{
		Features: []mgdl.Column{{Name: "a"}, {Name: "b"}},
		Targets:  []mgdl.Column{{Name: "y"}, {Name: "z"}},
	}
}

func TestReadCSVFor(t *testing.T) {
	cases := []struct {
		name string
		s    mgdl.Schema
		in   string
		need bool
		x, y string
	}{
		{"Order", weather(), "code,rain,extra,sky,temp\n1,yes,?,grey,20\n10,no,,blue,-3.5\n", true, "20 3 0|-3.5 2 2", "1|0"},
		{"Missing", weather(), "temp,sky,code\n,,\nNA,NA,NA\nnone,?,?\n", false, "NaN NaN NaN|NaN 1 NaN|NaN -1 NaN", ""},
		{"Unknown", weather(), "temp,sky,code\n1,red,7\n1,Blue,x\n", false, "1 -1 -1|1 -1 -1", ""},
		{"EqualNumbers", weather(), "temp,sky,code\n1,blue,01\n1,blue,2.5\n1,blue,1e1\n", false, "1 2 0|1 2 1|1 2 2", ""},
		{"TargetIgnored", weather(), "temp,sky,code,rain\n1,blue,1,perhaps\n", false, "1 2 0", ""},
		{"BadExtraColumn", numbers(), "a,c,c,b\n1,u,\xff,2\n", false, "1 2", ""},
		{"Numbers", numbers(), "\xef\xbb\xbfz,y,b,a\r\n1,2,3,4\r\n5,6,7,8\r\n", true, "4 3|8 7", "2 1|6 5"},
		{"NoRows", numbers(), "a,b\n", false, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d, err := ReadCSVFor(strings.NewReader(c.in), "t.csv", c.s, 0, c.need)
			require.NoError(t, err)
			require.Equal(t, c.s, d.Schema)
			require.Equal(t, c.x, show(d.X, len(c.s.Features)))
			require.Equal(t, c.y, show(d.Y, len(c.s.Targets)))
			require.Len(t, d.X, d.Rows*len(c.s.Features))
		})
	}
}

func TestReadCSVForNumericNames(t *testing.T) {
	s := mgdl.Schema{Features: []mgdl.Column{{Name: "0"}, {Name: "1"}}}
	d, err := ReadCSVFor(strings.NewReader("1,0\n5,6\n"), "t.csv", s, 0, false)
	require.NoError(t, err)
	require.Equal(t, "6 5", show(d.X, 2))
}

func TestBadCSVFor(t *testing.T) {
	cases := []struct {
		name string
		s    mgdl.Schema
		in   string
		need bool
		want string
		hint string
	}{
		{"NoFeature", numbers(), "aa,b\n1,2\n", false, `t.csv: no column named "a", which the model reads`, `the columns are "aa" and "b"`},
		{"NoFeatures", numbers(), "temp,sky\n1,2\n", false,
			"t.csv: no column named \"a\", which the model reads\nt.csv: no column named \"b\", which the model reads", `the columns are "temp" and "sky"`},
		{"NoTarget", numbers(), "a,b,y\n1,2,3\n", true, `t.csv: no column named "z", the target of the model`, ""},
		{"HeaderOfNumbers", numbers(), "1,2\n3,4\n", false, `t.csv:1: the line holds numbers, not the names of the columns`, "x,y"},
		{"DuplicateHeader", numbers(), "a,b,a\n1,2,3\n", false, `t.csv:1: columns 1 and 3 are both named "a"`, ""},
		{"NotANumber", numbers(), "b,a\n1,2\n3,4x\n", false, `t.csv:3: column "a" (2): "4x" is not a number`, "leave it empty"},
		{"DecimalComma", numbers(), "b,a\n1,\"2,5\"\n", false, `t.csv:2: column "a" (2): "2,5" is not a number`, "decimal point"},
		{"Infinite", numbers(), "b,a\n1,-Inf\n", false, `t.csv:2: column "a" (2): "-Inf" is not a finite number`, "empty"},
		{"MissingTarget", numbers(), "a,b,y,z\n1,2,3,\n", true, `t.csv:2: column "z" (4): the target is missing`, "remove"},
		{"MissingClass", weather(), "temp,sky,code,rain\n1,blue,1,\n", true, `t.csv:2: column "rain" (4): the target is missing`, "remove"},
		{"UnknownClass", weather(), "temp,sky,code,rain\n1,blue,1,yess\n", true, `t.csv:2: column "rain" (4): the model has no class "yess"`, `did you mean "yes"?`},
		{"UnknownClassFar", weather(), "temp,sky,code,rain\n1,blue,1,perhaps\n", true,
			`t.csv:2: column "rain" (4): the model has no class "perhaps"`, `its classes are "no" and "yes"`},
		{"Ragged", numbers(), "a,b\n1,2\n3\n", false, `t.csv:3: the row has 1 field, the header 2`, ""},
		{"Many", numbers(), "a,b\n" + strings.Repeat("x,y\n", 1000), false,
			"t.csv:2: column \"a\" (1): \"x\" is not a number\nt.csv:2: column \"b\" (2): \"y\" is not a number\n" +
				"t.csv:3: column \"a\" (1): \"x\" is not a number\nt.csv:3: column \"b\" (2): \"y\" is not a number\n" +
				"t.csv:4: column \"a\" (1): \"x\" is not a number\nand 1,995 more", ""},
		{"Quote", numbers(), "a,b\nx,2\n3,\"4\n", false,
			"t.csv:2: column \"a\" (1): \"x\" is not a number\nt.csv:3: the quoted field that ends at byte 6 of the line is not closed, or not followed by ','", ""},
		{"Empty", numbers(), "", false, `t.csv: the file is empty`, ""},
		{"NoRows", numbers(), "a,b,y,z\n", true, `t.csv: the file has a header and no rows`, ""},
		{"Semicolons", numbers(), "a;b\n1;2\n", false, `t.csv:1: the line has no ',' but 1 ';'`, "--sep ';'"},
		{"CROnly", numbers(), "a,b\r1,2\r", false, `t.csv:1: the lines end in CR alone`, "LF"},
		{"Binary", numbers(), "a,b\n1,2\x00\n", false, `t.csv: is not a CSV file: byte 8 is NUL`, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d, err := ReadCSVFor(strings.NewReader(c.in), "t.csv", c.s, 0, c.need)
			require.EqualError(t, err, c.want)
			var e *Error
			require.True(t, errors.As(err, &e))
			require.Contains(t, strings.Join(Hints(err), "\n"), c.hint)
			require.Zero(t, d.Rows)
		})
	}
}

// A row is returned as soon as its line has come, with nothing written after it.
func TestStreamWaitsForNothing(t *testing.T) {
	r, w := io.Pipe()
	defer r.Close()
	sent := make(chan string)
	go func() {
		for s := range sent {
			io.WriteString(w, s)
		}
		w.Close()
	}()
	sent <- "b,extra,a\n"
	st, err := NewStream(r, "-", numbers(), 0)
	require.NoError(t, err)
	row := make([]float64, 0, 2)
	for i := range 5 {
		sent <- "2,x," + string(rune('0'+i)) + "\n"
		row, err = st.Next(row[:0])
		require.NoError(t, err)
		require.Equal(t, []float64{float64(i), 2}, row)
		require.Equal(t, i+2, st.Line())
	}
	close(sent)
	_, err = st.Next(nil)
	require.Equal(t, io.EOF, err)
}

func TestStream(t *testing.T) {
	in := "a,b\n1,2\n3\n\nx,y\n4,5\n6,\"7\n"
	st, err := NewStream(strings.NewReader(in), "t.csv", numbers(), 0)
	require.NoError(t, err)
	row, err := st.Next([]float64{9})
	require.NoError(t, err)
	require.Equal(t, []float64{9, 1, 2}, row, "rows are appended")
	row, err = st.Next(row)
	require.EqualError(t, err, "t.csv:3: the row has 1 field, the header 2")
	require.Len(t, row, 3)
	row, err = st.Next(row)
	require.EqualError(t, err, "t.csv:5: column \"a\" (1): \"x\" is not a number\nt.csv:5: column \"b\" (2): \"y\" is not a number")
	require.Len(t, row, 3)
	row, err = st.Next(row)
	require.NoError(t, err)
	require.Equal(t, []float64{9, 1, 2, 4, 5}, row)
	for range 2 { // the end is final
		_, err = st.Next(row)
		require.EqualError(t, err, "t.csv:7: the quoted field that ends at byte 6 of the line is not closed, or not followed by ','")
	}

	_, err = NewStream(strings.NewReader("a,c\n"), "t.csv", numbers(), 0)
	require.EqualError(t, err, `t.csv: no column named "b", which the model reads`)
}

// Without a quoted field in it, a row costs the one string csv makes of its line.
func TestStreamAllocations(t *testing.T) {
	in := "a,b\n" + strings.Repeat("1.5,2.5\n", 2000)
	st, err := NewStream(strings.NewReader(in), "t.csv", numbers(), 0)
	require.NoError(t, err)
	row := make([]float64, 0, 2)
	n := testing.AllocsPerRun(1000, func() {
		if row, err = st.Next(row[:0]); err != nil {
			t.Fatal(err)
		}
	})
	if n > 1 {
		t.Errorf("%v allocations a row", n)
	}
}

func TestParseSeparator(t *testing.T) {
	for s, want := range map[string]rune{",": ',', ";": ';', "\t": '\t', `\t`: '\t', "tab": '\t', "TAB": '\t', "pipe": '|', "|": '|', "→": '→', "space": ' ', "semicolon": ';', "comma": ','} {
		got, err := ParseSeparator(s)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, s := range []string{"", ",,", "\"", "\n", "\r", "\xff", "\x00", "tabs"} {
		_, err := ParseSeparator(s)
		require.Error(t, err, s)
	}
}

func TestNearest(t *testing.T) {
	have := []string{"price", "sale_price", "area", "Area", "x1", "x2", "x12"}
	for name, want := range map[string][]string{
		"prcie": {"price"},
		"pirce": {"price"},
		"Price": {"price", "sale_price"},
		"AREA":  {"area", "Area"},
		"x3":    {"x1", "x2"},
		"rooms": nil,
		"q":     nil,
	} {
		require.Equal(t, want, nearest(name, have), name)
	}
}
