package dataset

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

// lines builds a table: a header, then f(i) for each row i from 0.
func lines(header string, rows int, f func(i int) string) string {
	var b strings.Builder
	b.WriteString(header + "\n")
	for i := range rows {
		b.WriteString(f(i) + "\n")
	}
	return b.String()
}

// areas is 200 rows of "area,price" in which the rows of bad hold other areas.
func areas(bad map[int]string) string {
	return lines("area,price", 200, func(i int) string {
		area := fmt.Sprint(50 + i)
		if s, ok := bad[i]; ok {
			area = s
		}
		return fmt.Sprintf("%s,%d", area, 1000+i)
	})
}

// Every table here is refused with exactly these lines and a hint that contains hint.
func TestBadCSV(t *testing.T) {
	cases := []struct {
		name string
		in   string
		o    Options
		want string
		hint string
	}{
		{"NotANumberAndRagged", areas(map[int]string{150: "12,5o", 7: `"12,5o"`}), Options{},
			"t.csv:9: column \"area\" (1): \"12,5o\" is not a number\nt.csv:152: the row has 3 fields, the header 2", "correct"},
		{"NotANumberOne", areas(map[int]string{150: "125o"}), Options{},
			`t.csv:152: column "area" (1): "125o" is not a number`, "correct the cell, or leave it empty"},
		{"NotANumberTwo", areas(map[int]string{150: "125o", 3: "x"}), Options{},
			"t.csv:5: column \"area\" (1): \"x\" is not a number\nt.csv:152: column \"area\" (1): \"125o\" is not a number", "--category area"},
		{"NotANumberMany", lines("a b,y", 3000, func(i int) string {
			if i%200 == 0 {
				return fmt.Sprintf("bad%d,%d", i, i)
			}
			return fmt.Sprintf("%d,%d", i%30, i)
		}), Options{}, `t.csv:2: column "a b" (1): "bad0" is not a number
t.csv:202: column "a b" (1): "bad200" is not a number
t.csv:402: column "a b" (1): "bad400" is not a number
t.csv:602: column "a b" (1): "bad600" is not a number
t.csv:802: column "a b" (1): "bad800" is not a number
and 10 more`, "--category 'a b'"},
		{"NotANumberInTwoColumns", lines("a,b,y", 300, func(i int) string {
			switch i {
			case 200, 202:
				return "x,1,1"
			case 201:
				return "1,z,2"
			}
			return fmt.Sprintf("%d,%d,%d", i, -i, i)
		}), Options{}, `t.csv:202: column "a" (1): "x" is not a number
t.csv:203: column "b" (2): "z" is not a number
t.csv:204: column "a" (1): "x" is not a number`, "correct"},
		{"NotANumberAmongManyTexts", lines("area,price", 3000, func(i int) string {
			if i%3 == 2 {
				return "unknown,1"
			}
			return fmt.Sprintf("%d,%d", i, i)
		}), Options{}, `t.csv:4: column "area" (1): "unknown" is not a number
t.csv:7: column "area" (1): "unknown" is not a number
t.csv:10: column "area" (1): "unknown" is not a number
t.csv:13: column "area" (1): "unknown" is not a number
t.csv:16: column "area" (1): "unknown" is not a number
and 995 more`, "leave it empty"},
		{"NotANumberInTarget", lines("x,y", 200, func(i int) string {
			if i == 99 {
				return "1,2.5.1"
			}
			return fmt.Sprintf("%d,%d", i, i)
		}), Options{}, `t.csv:101: column "y" (2): "2.5.1" is not a number`, "correct the cell, or remove the row"},
		{"DecimalCommas", "x;y\n1,5;2\n2;3\n1.234,5;4\n", Options{Comma: ';'},
			"t.csv:2: column \"x\" (1): \"1,5\" is not a number\nt.csv:4: column \"x\" (1): \"1.234,5\" is not a number", "decimal point"},
		{"Hexadecimal", areas(map[int]string{1: "0x1p4"}), Options{},
			`t.csv:3: column "area" (1): "0x1p4" is not a number`, "correct"},
		{"Underscore", areas(map[int]string{1: "1_000"}), Options{},
			`t.csv:3: column "area" (1): "1_000" is not a number`, "correct"},
		{"LineOfCellNotOfRow", lines("s,x,y", 100, func(i int) string {
			if i == 50 {
				return "\"two\nlines\",?1,0"
			}
			return fmt.Sprintf("a,%d,%d", i, i)
		}), Options{}, `t.csv:53: column "x" (2): "?1" is not a number`, "correct"},

		{"NoSuchTarget", "area,price,year\n1,2,3\n", Options{Target: []string{"prise"}},
			`t.csv: no column named "prise" for the target`, `did you mean "price"?`},
		{"NoSuchTargetCase", "area,price\n1,2\n", Options{Target: []string{"PRICE"}},
			`t.csv: no column named "PRICE" for the target`, `did you mean "price"?`},
		{"NoSuchTargetSeveral", "sale,sales,male,y\n1,2,3,4\n", Options{Target: []string{"salex"}},
			`t.csv: no column named "salex" for the target`, `did you mean "sale" or "sales"?`},
		{"NoSuchTargetNothingNear", "area,price,year\n1,2,3\n", Options{Target: []string{"zzzzzz"}},
			`t.csv: no column named "zzzzzz" for the target`, `the columns are "area", "price" and "year"`},
		{"NoSuchDrop", "area,price\n1,2\n", Options{Drop: []string{"are"}},
			`t.csv: no column named "are" to leave out`, `did you mean "area"?`},
		{"NoSuchCategory", "area,price\n1,2\n", Options{Category: []string{"are"}},
			`t.csv: no column named "are" to read as a category`, `did you mean "area"?`},
		{"TargetTwice", "area,price\n1,2\n", Options{Target: []string{"price", "price"}},
			`t.csv:1: column "price" is named as a target twice`, ""},
		{"TargetDropped", "area,price\n1,2\n", Options{Target: []string{"price"}, Drop: []string{"price"}},
			`t.csv:1: column "price" is the target and cannot be left out`, ""},
		{"ConstantTarget", "x,y\n1,5\n2,5\n3,5.0\n", Options{},
			`t.csv: column "y" (2): the target is the same in every row`, "--target COLUMN"},
		{"ConstantTargetClass", "x,y\n1,a\n2,a\n", Options{},
			`t.csv: column "y" (2): the target is the same in every row`, "--target COLUMN"},
		{"ConstantTargetOfSeveral", "x,y,z\n1,5,1\n2,5,2\n", Options{Target: []string{"z", "y"}},
			`t.csv: column "y" (2): the target is the same in every row`, ""},
		{"MissingTarget", "x,y\n1,5\n2,\n3,NA\n4,6\n", Options{},
			"t.csv:3: column \"y\" (2): the target is missing\nt.csv:4: column \"y\" (2): the target is missing (\"NA\")", "remove the rows"},
		{"MissingTargetMany", lines("x,y", 2000, func(i int) string {
			if i%2 == 1 {
				return fmt.Sprintf("%d,", i)
			}
			return fmt.Sprintf("%d,%d", i, i)
		}), Options{}, `t.csv:3: column "y" (2): the target is missing
t.csv:5: column "y" (2): the target is missing
t.csv:7: column "y" (2): the target is missing
t.csv:9: column "y" (2): the target is missing
t.csv:11: column "y" (2): the target is missing
and 995 more`, "remove the rows"},
		{"MissingTargetClass", "x,y\n1,a\n2,\n3,NA\n4,b\n", Options{},
			`t.csv:3: column "y" (2): the target is missing`, "remove the rows"},
		{"AllMissingTarget", "x,y\n1,\n2,NA\n", Options{},
			`t.csv: column "y" (2): no row has a value for the target`, "--target COLUMN"},
		{"RegressOnText", "x,y\n1,a\n2,b\n", Options{Task: "regress"},
			"t.csv:2: column \"y\" (2): \"a\" is not a number\nt.csv:3: column \"y\" (2): \"b\" is not a number", "--task classify"},
		{"ClassifyTwoTargets", "x,y,z\n1,a,1\n2,b,2\n", Options{Target: []string{"y", "z"}},
			`t.csv: column "y" (2): the target is not numeric, and classification takes one target`, "a model for each"},
		{"ClassifyTwoNumericTargets", "x,y,z\n1,1,1\n2,2,2\n", Options{Target: []string{"y", "z"}, Task: "classify"},
			`t.csv: classification takes one target, not 2`, "a model for each"},
		{"TooManyClasses", lines("x,y", 1001, func(i int) string { return fmt.Sprintf("%d,%d", i, i) }), Options{Task: "classify"},
			`t.csv: column "y" (2): more than 1,000 different values, too many for a category`, "--task regress"},

		{"DuplicateHeader", "area,rooms,area\n1,2,3\n", Options{},
			`t.csv:1: columns 1 and 3 are both named "area"`, "own name"},
		{"RaggedRow", "a,b,c\n1,2,3\n4,5\n6,7,8\n", Options{},
			`t.csv:3: the row has 2 fields, the header 3`, "missing"},
		{"RaggedRowOneField", "a,b,c\n1,2,3\n4\n6,7,8\n", Options{},
			`t.csv:3: the row has 1 field, the header 3`, "missing"},
		{"RaggedRowLong", "a,b\n1,2\n4,5,6\n6,7\n", Options{},
			`t.csv:3: the row has 3 fields, the header 2`, `contains ',' in quotes`},
		{"RaggedRowsMany", lines("a,b", 10, func(i int) string { return "1" }), Options{},
			`t.csv:2: the row has 1 field, the header 2
t.csv:3: the row has 1 field, the header 2
t.csv:4: the row has 1 field, the header 2
t.csv:5: the row has 1 field, the header 2
t.csv:6: the row has 1 field, the header 2
and 5 more`, ""},
		{"EmptyFile", "", Options{}, `t.csv: the file is empty`, ""},
		{"EmptyFileBOM", "\xef\xbb\xbf", Options{}, `t.csv: the file is empty`, ""},
		{"EmptyFileBlankLines", "\n\r\n\n", Options{}, `t.csv: the file is empty`, ""},
		{"HeaderOnly", "a,b\n", Options{}, `t.csv: the file has a header and no rows`, ""},
		{"HeaderOnlyNoLineEnd", "a,b", Options{}, `t.csv: the file has a header and no rows`, ""},
		{"HeaderOfNumbers", "1.5,2,-3e4\n1,2,3\n", Options{},
			`t.csv:1: the line holds numbers, not the names of the columns`, "x1,x2,y"},
		{"HeaderWithoutNames", ",\n1,2\n", Options{}, `t.csv:1: the columns have no names`, "x,y"},
		{"HeaderLastUnnamed", "a,\n1,2\n", Options{},
			`t.csv:1: the last column, which is the target by default, has no name`, "--target COLUMN"},
		{"HeaderNotUTF8", "gr\xf6\xdfe,y\n1,2\n", Options{},
			`t.csv:1: the name of column 1, "gr\xf6\xdfe", is not UTF-8`, "Latin-1"},
		{"OneColumn", "a\n1\n2\n", Options{},
			`t.csv:1: the only column is "a"; a table has a target and at least one feature`, "--sep"},
		{"OnlyTargets", "a,b\n1,2\n", Options{Target: []string{"a", "b"}},
			`t.csv:1: no column is left beside the target`, ""},
		{"AllDropped", "a,b\n1,2\n", Options{Drop: []string{"a", "b"}}, `t.csv:1: no column is left`, ""},
		{"Semicolons", "a;b;c\n1;2;3\n", Options{},
			`t.csv:1: the line has no ',' but 2 ';'`, `try --sep ';'`},
		{"SemicolonsDecimalCommas", "a;b\n1,5;2,5\n", Options{},
			`t.csv:1: the line has no ',' but 1 ';'`, `try --sep ';'`},
		{"SemicolonsQuoted", "\"a, in m\";\"b\"\n1;2\n", Options{},
			`t.csv:1: the line has no ',' but 1 ';'`, `try --sep ';'`},
		{"SemicolonsNoLineEnd", "a;b", Options{},
			`t.csv:1: the line has no ',' but 1 ';'`, `try --sep ';'`},
		{"Tabs", "a\tb\n1\t2\n", Options{}, `t.csv:1: the line has no ',' but 1 '\t'`, `try --sep '\t'`},
		{"Pipes", "a|b\n1|2\n", Options{}, `t.csv:1: the line has no ',' but 1 '|'`, `try --sep '|'`},
		{"CommasForTabs", "a,b\n1,2\n", Options{Comma: '\t'}, `t.csv:1: the line has no '\t' but 1 ','`, `try --sep ','`},
		{"CROnly", "a,b\r1,2\r3,4\r", Options{}, `t.csv:1: the lines end in CR alone`, "LF or CRLF"},

		{"CROnlyOneColumn", "a\r1\r2\r", Options{}, `t.csv:1: the lines end in CR alone`, "LF or CRLF"},
		{"CROnlyTarget", "a,b\r1,2\r", Options{Target: []string{"b"}}, `t.csv:1: the lines end in CR alone`, "LF or CRLF"},

		{"Infinite", "x,y\n1,5\nInf,6\n-infinity,7\n2,8\n", Options{},
			"t.csv:3: column \"x\" (1): \"Inf\" is not a finite number\nt.csv:4: column \"x\" (1): \"-infinity\" is not a finite number", "leave the cell empty"},
		{"InfiniteOverflow", "x,y\n1,5\n1e999,6\n", Options{},
			`t.csv:3: column "x" (1): "1e999" is not a finite number`, "leave the cell empty"},
		{"InfiniteTarget", "x,y\n1,5\n2,inf\n", Options{},
			`t.csv:3: column "y" (2): "inf" is not a finite number`, ""},
		{"InfiniteClass", "x,y\n1,5\n2,inf\n3,6\n", Options{Task: "classify"},
			`t.csv:3: column "y" (2): "inf" is not a finite number`, ""},
		{"TooWide", "x,y\n1e308,5\n-1e308,6\n", Options{},
			`t.csv: column "x" (1): the numbers reach from -1e+308 to 1e+308, too far apart to calculate with`, "empty"},
		{"AllMissingColumn", "x,z,y\n1,,5\n2,,6\n", Options{},
			`t.csv: column "z" (2): no cell has a value`, "--drop z"},
		{"AllMissingColumnMarks", "x,z,y\n1,NA,5\n2,NaN,6\n", Options{},
			`t.csv: column "z" (2): no cell has a value`, "--drop z"},
		{"AllConstant", "x,z,y\n1,a,5\n1,a,6\n", Options{},
			`t.csv: every feature is the same in every row`, "nothing to learn"},
		{"TooManyLevels", lines("id no,x,y", 1001, func(i int) string { return fmt.Sprintf("id%d,%d,%d", i, i, i) }), Options{},
			`t.csv: column "id no" (1): more than 1,000 different values, too many for a category`, "leave the column out: --drop 'id no'"},
		{"LongText", "x,s,y\n1," + strings.Repeat("ab ", 400) + ",5\n2,t,6\n", Options{},
			`t.csv:2: column "s" (2): a text of more than 1,024 bytes, "ab ab ab ab ab ab ab ab ab ab ab ab ab a"..., is too long for a category`, "--drop s"},
		{"NotUTF8", "x,s,y\n1,a,5\n2,gr\xf6\xdfe,6\n", Options{},
			`t.csv:3: column "s" (2): "gr\xf6\xdfe" is not UTF-8`, "Latin-1"},

		{"BareQuote", "x,s,y\n1,12\" pipe,5\n", Options{},
			`t.csv:2: a quote at byte 5 of the line is inside a field that is not quoted`, "twice"},
		{"QuoteInQuoted", "x,s,y\n1,\"12\" pipe\",5\n", Options{},
			`t.csv:2: the quoted field that ends at byte 6 of the line is not closed, or not followed by ','`, "twice"},
		{"OpenQuote", "x,s,y\n1,a,5\n2,\"b,6\n3,c,7\n", Options{},
			`t.csv:3: a quoted field of this row runs to line 4 and is not closed properly there`, "close the quote"},
		{"OpenQuoteAfterRagged", "x,s,y\n1,a\n2,\"b,6\n3,c,7\n", Options{},
			"t.csv:2: the row has 2 fields, the header 3\nt.csv:3: a quoted field of this row runs to line 4 and is not closed properly there", ""},

		{"NUL", "x,y\n1,2\n\x00,3\n", Options{}, `t.csv: is not a CSV file: byte 9 is NUL`, "UTF-16"},
		{"NULFirst", "\x00\x00\x01", Options{}, `t.csv: is not a CSV file: byte 1 is NUL`, ""},
		{"PNG", "\x89PNG\r\n\x1a\n\x00\x00", Options{}, `t.csv: is not a CSV file but a PNG image`, ".png"},
		{"ZIP", "PK\x03\x04\x14\x00\x06\x00", Options{}, `t.csv: is not a CSV file but a ZIP archive`, "Excel"},
		{"Gzip", "\x1f\x8b\x08\x00", Options{}, `t.csv: is not a CSV file but a gzip archive`, "gunzip"},
		{"Parquet", "PAR1\x15\x04\x15\x00", Options{}, `t.csv: is not a CSV file but a Parquet file`, ".parquet"},
		{"NPY", "\x93NUMPY\x01\x00v\x00{'descr'", Options{}, `t.csv: is not a CSV file but a NumPy array`, ".npy"},
		{"Safetensors", "\x40\x00\x00\x00\x00\x00\x00\x00{\"__metadata__\":{}}", Options{},
			`t.csv: is not a CSV file but a safetensors file`, "model"},
		{"UTF16", "\xff\xfea\x00,\x00b\x00", Options{}, `t.csv: is not a CSV file but UTF-16 text`, "UTF-8"},
		{"JSON", `{"a": 1}`, Options{}, `t.csv: is not a CSV file but JSON`, "table"},
		{"HTML", "<!DOCTYPE html><html>", Options{}, `t.csv: is not a CSV file but HTML or XML`, "error page"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d, _, err := ReadCSV(strings.NewReader(c.in), "t.csv", c.o)
			require.Error(t, err)
			if err.Error() != c.want {
				t.Fatalf("error is\n%s\nwant\n%s", err, c.want)
			}
			var one *Error
			if !errors.As(err, &one) {
				t.Errorf("%T is no *Error", err)
			}
			if hints := strings.Join(Hints(err), "\n"); !strings.Contains(hints, c.hint) {
				t.Errorf("hints are %q, want %q in them", hints, c.hint)
			}
			if d.Rows != 0 || d.X != nil {
				t.Error("data came with the error")
			}
			if n := strings.Count(err.Error(), "\n"); n > maxShown {
				t.Errorf("%d lines", n+1)
			}
		})
	}
}

func TestJourneyErrorText(t *testing.T) {
	in := lines("id,year,rooms,area,price", 1900, func(i int) string {
		area := fmt.Sprint(50 + i%400)
		if i == 1839 {
			area = `"12,5o"`
		}
		return fmt.Sprintf("%d,%d,%d,%s,%d", i, 1900+i%100, i%7, area, 1000+i)
	})
	_, _, err := ReadCSV(strings.NewReader(in), "houses.csv", Options{})
	require.EqualError(t, err, `houses.csv:1841: column "area" (4): "12,5o" is not a number`)
	var e *Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, Error{File: "houses.csv", Line: 1841, Column: "area", ColumnNumber: 4,
		Msg: `"12,5o" is not a number`, Hint: e.Hint}, *e)
	require.NotEmpty(t, e.Hint)
}

const nan = "NaN" // in the tables of wanted numbers

// show formats rows of n values for comparison.
func show(x []float64, n int) string {
	var b strings.Builder
	for i, v := range x {
		if i > 0 {
			b.WriteByte(" |"[btoi(i%n == 0)])
		}
		b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
	}
	return b.String()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// showColumns formats columns as name:number or name:level/level.
func showColumns(cols []mgdl.Column) string {
	var s []string
	for _, c := range cols {
		if c.Kind == mgdl.Number {
			s = append(s, c.Name+":number")
		} else {
			s = append(s, c.Name+":"+strings.Join(c.Levels, "/"))
		}
	}
	return strings.Join(s, " ")
}

func TestReadCSV(t *testing.T) {
	cases := []struct {
		name     string
		file     string
		in       string
		o        Options
		features string
		x        string
		targets  string
		y        string
	}{
		{"Plain", "", "a,b,y\n1,2,3\n4,5,6\n", Options{}, "a:number b:number", "1 2|4 5", "y:number", "3|6"},
		{"NoLineEnd", "", "a,y\n1,3\n4,6", Options{}, "a:number", "1|4", "y:number", "3|6"},
		{"BOM", "", "\xef\xbb\xbfa,y\n1,3\n4,6\n", Options{Target: []string{"a"}}, "y:number", "3|6", "a:number", "1|4"},
		{"BOMQuoted", "", "\xef\xbb\xbf\"a\",\"y\"\n1,3\n4,6\n", Options{}, "a:number", "1|4", "y:number", "3|6"},
		{"CRLF", "", "a,s,y\r\n1,u,3\r\n4,v,6\r\n", Options{}, "a:number s:u/v", "1 0|4 1", "y:number", "3|6"},
		{"CRAtEnd", "", "a,y\r\n1,3\r\n4,6\r", Options{}, "a:number", "1|4", "y:number", "3|6"},
		{"Quoted", "", "\"a\",\"the, \"\"s\"\"\",y\n\"1\",\"u, v\",3\n4,\"line\nbreak\",6\n", Options{},
			"a:number the, \"s\":line\nbreak/u, v", "1 1|4 0", "y:number", "3|6"},
		{"CRInField", "", "\"a\rb\",y\n1,3\n\"\r4\",6\n", Options{}, "a\rb:number", "1|4", "y:number", "3|6"},
		{"BlankLines", "", "\na,y\n\n1,3\n   \n4,6\n\n\n \t\n", Options{}, "a:number", "1|4", "y:number", "3|6"},
		{"Spaces", "", " a , s , y\n 1 , u , 3\n4,  \"v\",\u00a06\n", Options{}, "a:number s:u/v", "1 0|4 1", "y:number", "3|6"},
		{"TSV", "t.tsv", "a\ts\ty\n1\tu\t3\n\t\t6\n", Options{}, "a:number s:/u", "1 1|NaN NaN", "y:number", "3|6"},
		{"TSVUpper", "T.TSV", "a\ty\n1\t3\n4\t6\n", Options{}, "a:number", "1|4", "y:number", "3|6"},
		{"Semicolon", "", "a;y\n1;3\n4;6\n", Options{Comma: ';'}, "a:number", "1|4", "y:number", "3|6"},
		{"SemicolonWithCommas", "", "a, in m;y\n1;3\n4;6\n", Options{Comma: ';'}, "a, in m:number", "1|4", "y:number", "3|6"},
		{"Space", "", "a y\n1 3\n4 6\n", Options{Comma: ' '}, "a:number", "1|4", "y:number", "3|6"},
		{"NumberForms", "", "a,y\n+1.5e3,1\n-.5,2\n5.,3\n1E-2,4\n007,5\n-0,6\n1e-999,7\n", Options{},
			"a:number", "1500|-0.5|5|0.01|7|-0|0", "y:number", "1|2|3|4|5|6|7"},
		{"MissingNumbers", "", "a,y\n1,1\n,2\nNA,3\nn/a,4\nNaN,5\nnan,6\n-nan,7\nNULL,8\nnone,9\n?,10\n\" \",11\n<NA>,12\n#N/A,13\n2,14\n", Options{},
			"a:number", "1|" + strings.Repeat(nan+"|", 12) + "2", "y:number", "1|2|3|4|5|6|7|8|9|10|11|12|13|14"},
		{"NoneIsALevel", "", "a,y\nNone,1\nBrick,2\n,3\nNA,4\n?,5\n", Options{},
			"a:/?/Brick/NA/None", "4|2|NaN|3|1", "y:number", "1|2|3|4|5"},
		{"LevelsBytewise", "", "a,y\nb,1\na,2\nB,3\né,4\n10,5\n9,6\n", Options{},
			"a:10/9/B/a/b/é", "4|3|2|5|0|1", "y:number", "1|2|3|4|5|6"},
		{"FewNumbersFewTexts", "", "a,y\n1,1\n2,2\n3+,3\n", Options{}, "a:1/2/3+", "0|1|2", "y:number", "1|2|3"},
		{"InfIsALevel", "", "a,y\ninf,1\nsup,2\n", Options{}, "a:inf/sup", "0|1", "y:number", "1|2"},
		{"ForcedCategory", "", "a,y\n20,1\n3,2\n20.0,3\nNA,4\n,5\n-1,6\n", Options{Category: []string{"a"}},
			"a:/-1/3/20", "3|2|3|NaN|NaN|1", "y:number", "1|2|3|4|5|6"},
		{"ForcedCategoryWithTypos", "", areas(map[int]string{0: "x"}), Options{Category: []string{"area"}, Target: []string{"area"}},
			"price:number", "", "", ""},
		{"Drop", "", "a,id,y\n1,u,3\n4,v,6\n", Options{Drop: []string{"id"}}, "a:number", "1|4", "y:number", "3|6"},
		{"DropLast", "", "a,y,id\n1,3,u\n4,6,v\n", Options{Drop: []string{"id"}}, "a:number", "1|4", "y:number", "3|6"},
		{"DropDuplicate", "", "a,id,id,y\n1,u,v,3\n4,v,w,6\n", Options{Drop: []string{"id"}}, "a:number", "1|4", "y:number", "3|6"},
		{"DropBad", "", "a,z,y\n1,,3\n4,,6\n", Options{Drop: []string{"z"}}, "a:number", "1|4", "y:number", "3|6"},
		{"Unnamed", "", ",a,y\n0,1,3\n1,4,6\n", Options{}, "a:number", "1|4", "y:number", "3|6"},
		{"UnnamedLast", "", "a,y,\n1,3,\n4,6,\n", Options{Target: []string{"y"}}, "a:number", "1|4", "y:number", "3|6"},
		{"TargetFirst", "", "y,a\n3,1\n6,4\n", Options{Target: []string{"y"}}, "a:number", "1|4", "y:number", "3|6"},
		{"TwoTargets", "", "a,z,y\n1,2,3\n4,5,6\n", Options{Target: []string{"y", "z"}}, "a:number", "1|4", "y:number z:number", "3 2|6 5"},
		{"Classes", "", "a,y\n1,v\n4,u\n5,v\n", Options{}, "a:number", "1|4|5", "y:u/v", "1|0|1"},
		{"ClassesNone", "", "a,y\n1,None\n4,NA\n5,x\n", Options{}, "a:number", "1|4|5", "y:NA/None/x", "1|0|2"},
		{"ClassesForced", "", "a,y\n1,10\n4,9\n5,10.0\n", Options{Task: "classify"}, "a:number", "1|4|5", "y:9/10", "1|0|1"},
		{"ClassesAsWritten", "", "a,y\n1,01\n4,1.50\n5,1\n", Options{Task: "classify"}, "a:number", "1|4|5", "y:01/1.50", "0|1|0"},
		{"ClassesMixed", "", "a,y\n1,10\n4,9\n5,9+\n", Options{Task: "classify"}, "a:number", "1|4|5", "y:10/9/9+", "0|1|2"},
		{"ClassesByCategory", "", "a,y\n1,10\n4,9\n", Options{Category: []string{"y"}}, "a:number", "1|4", "y:9/10", "1|0"},
		{"Regress", "", "a,y\n1,0\n4,1\n", Options{Task: "regress"}, "a:number", "1|4", "y:number", "0|1"},
		{"ConstantFeature", "", "a,b,y\n1,7,0\n4,7,1\n", Options{}, "a:number b:number", "1 7|4 7", "y:number", "0|1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.file == "" {
				c.file = "t.csv"
			}
			// One byte at a time: nothing may depend on how the input arrives.
			for _, r := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
				d, info, err := ReadCSV(r, c.file, c.o)
				require.NoError(t, err)
				checkData(t, d, info)
				require.Equal(t, c.features, showColumns(d.Schema.Features))
				if c.targets == "" {
					continue
				}
				require.Equal(t, c.targets, showColumns(d.Schema.Targets))
				require.Equal(t, c.x, show(d.X, len(d.Schema.Features)))
				require.Equal(t, c.y, show(d.Y, len(d.Schema.Targets)))
				require.Equal(t, strings.Contains(c.targets, "/"), d.Schema.Task == mgdl.Classification)
			}
		})
	}
}

// checkData checks what mgdl.Data and Info promise.
func checkData(t *testing.T, d mgdl.Data, info Info) {
	t.Helper()
	s := d.Schema
	if d.Rows < 1 || len(s.Features) < 1 || len(s.Targets) < 1 ||
		len(d.X) != d.Rows*len(s.Features) || len(d.Y) != d.Rows*len(s.Targets) || info.Rows != d.Rows {
		t.Fatalf("%d rows, %d features, %d targets, %d and %d values, info %+v",
			d.Rows, len(s.Features), len(s.Targets), len(d.X), len(d.Y), info)
	}
	missing := checkColumns(t, s.Features, d.X, false)
	if missing != info.MissingCells {
		t.Fatalf("%d cells are missing, info says %d", missing, info.MissingCells)
	}
	for _, n := range info.MissingByColumn {
		missing -= n
	}
	if missing != 0 {
		t.Fatalf("missing by column: %v", info.MissingByColumn)
	}
	if info.Numbers+info.Categories != len(s.Features) {
		t.Fatalf("%+v does not fit %d features", info, len(s.Features))
	}
	checkColumns(t, s.Targets, d.Y, true)
	if s.Task == mgdl.Classification && (len(s.Targets) != 1 || s.Targets[0].Kind != mgdl.Category || len(s.Targets[0].Levels) < 2) {
		t.Fatalf("classification with targets %v", s.Targets)
	}
	seen := map[string]bool{}
	for _, cols := range [][]mgdl.Column{s.Features, s.Targets} {
		for _, c := range cols {
			if c.Name == "" || seen[c.Name] {
				t.Fatalf("name %q is empty or twice", c.Name)
			}
			seen[c.Name] = true
		}
	}
}

// checkColumns checks the values of columns and returns how many are missing.
func checkColumns(t *testing.T, cols []mgdl.Column, x []float64, target bool) (missing int) {
	t.Helper()
	for i, v := range x {
		c := &cols[i%len(cols)]
		switch {
		case math.IsInf(v, 0):
			t.Fatalf("value %d is infinite", i)
		case math.IsNaN(v):
			missing++
			if target || c.Kind == mgdl.Category && c.Levels[0] != "" {
				t.Fatalf("value %d, of column %q, is missing", i, c.Name)
			}
		case c.Kind == mgdl.Category && (v < 0 || v >= float64(len(c.Levels)) || v != math.Trunc(v)):
			t.Fatalf("value %d, of column %q, is level %v", i, c.Name, v)
		}
	}
	for _, c := range cols {
		if c.Kind == mgdl.Number && len(c.Levels) > 0 || c.Kind == mgdl.Category && len(c.Levels) == 0 {
			t.Fatalf("column %q is a %v of %d levels", c.Name, c.Kind, len(c.Levels))
		}
		numeric := true
		for i, l := range c.Levels {
			if i == 0 && l == "" {
				continue
			}
			if l == "" || l != strings.TrimSpace(l) {
				t.Fatalf("column %q has the level %q", c.Name, l)
			}
			_, k := parse([]byte(l))
			numeric = numeric && k == number
		}
		for i := 1; i < len(c.Levels); i++ {
			a, b := c.Levels[i-1], c.Levels[i]
			va, _ := parse([]byte(a))
			vb, _ := parse([]byte(b))
			if numeric && a != "" && va >= vb || !numeric && a >= b {
				t.Fatalf("column %q has level %q before %q", c.Name, a, b)
			}
		}
	}
	return missing
}

// A column may turn from positions of texts to values at any row; cells before and
// after must be what they would have been.
func TestManyDifferentNumbers(t *testing.T) {
	for _, n := range []int{maxLevels - 1, maxLevels, maxLevels + 1, 3 * maxLevels} {
		in := lines("a,b,y", n, func(i int) string {
			b := ""
			if i%2 == 1 {
				b = "NA"
			}
			return fmt.Sprintf("%d,%s,%d.5", i, b+fmt.Sprint(i % 5)[len(b)/2:], i)
		})
		d, info, err := ReadCSV(strings.NewReader(in), "t.csv", Options{Category: []string{"b"}})
		require.NoError(t, err)
		checkData(t, d, info)
		for i := range n {
			if d.X[2*i] != float64(i) || d.Y[i] != float64(i)+0.5 {
				t.Fatalf("of %d rows, row %d is %v and %v", n, i, d.X[2*i], d.Y[i])
			}
		}
	}
	in := lines("a,y", 1500, func(i int) string {
		switch {
		case i == 700 || i == 1400:
			return fmt.Sprintf("NA,%d", i)
		case i == 3 || i == 1401:
			return fmt.Sprintf(",%d", i)
		}
		return fmt.Sprintf("%d,%d", i, i)
	})
	d, info, err := ReadCSV(strings.NewReader(in), "t.csv", Options{})
	require.NoError(t, err)
	checkData(t, d, info)
	require.Equal(t, map[string]int{"a": 4}, info.MissingByColumn)
	require.True(t, math.IsNaN(d.X[3]) && math.IsNaN(d.X[700]) && math.IsNaN(d.X[1400]) && math.IsNaN(d.X[1401]))
}

// 1,000 levels are the most; a missing cell is not one of them.
func TestMostLevels(t *testing.T) {
	in := lines("a,y", 1001, func(i int) string {
		if i == 500 {
			return ",1"
		}
		return fmt.Sprintf("id%d,%d", i, i)
	})
	d, info, err := ReadCSV(strings.NewReader(in), "t.csv", Options{})
	require.NoError(t, err)
	checkData(t, d, info)
	require.Len(t, d.Schema.Features[0].Levels, 1001)
	require.Len(t, info.Notes, 1)
	require.Contains(t, info.Notes[0], "--drop a")
}

// The border between a number column with faults and a category.
func TestNumericOrCategory(t *testing.T) {
	cases := []struct {
		numbers, different, texts int
		want                      bool // a number column
	}{
		{10, 10, 1, false},  // too few numbers
		{19, 19, 1, false},  //
		{20, 20, 1, true},   // 5 %, all different
		{20, 19, 1, false},  // 5 %, few different
		{98, 5, 1, false},   // more than 1 %
		{99, 5, 1, true},    // 1 %
		{380, 30, 20, true}, // 5 %
		{379, 30, 20, false},
		{5000, 30, 20, true},
		{5000, 30, 21, false}, // too many texts
		{2000, 2000, 1500, true},
		{1500, 1500, 1501, false}, // then it is a category, of too many levels
	}
	for _, c := range cases {
		in := lines("a,y", c.numbers+c.texts, func(i int) string {
			if i >= c.numbers {
				return fmt.Sprintf("t,%d", i)
			}
			return fmt.Sprintf("%d,%d", i%c.different, i)
		})
		_, _, err := ReadCSV(strings.NewReader(in), "t.csv", Options{})
		got := err != nil && strings.Contains(err.Error(), `"t" is not a number`)
		if got != c.want {
			t.Errorf("%+v: error %v", c, err)
		}
	}
}

func TestInfo(t *testing.T) {
	in := "n,c,k,s,,mix,y\n" +
		"1,a,7,s,0,1,0\n" +
		",b,7,s,1,2,1\n" +
		"NA,,7,s,2,3+,0\n" +
		"2,a,,s,3,4,1\n" +
		"3,a,7,s,4,5,1\n"
	d, info, err := ReadCSV(strings.NewReader(in), "t.csv", Options{})
	require.NoError(t, err)
	checkData(t, d, info)
	require.Equal(t, Info{
		Rows: 5, Numbers: 2, Categories: 3, MissingCells: 4,
		MissingByColumn: map[string]int{"n": 2, "c": 1, "k": 1},
		Dropped:         []string{"k", "s"},
		Notes: []string{
			"column 5 has no name and is left out; row numbers?",
			`column "mix" (6) is read as a category: 4 cells hold numbers, 1 not, such as "3+"`,
			`the target "y" has only 2 different values, all whole: if they are classes, --task classify`,
		},
	}, info)

	in = lines("x,y", 300, func(i int) string { return fmt.Sprintf("%d,c%d", i, i%150) })
	_, info, err = ReadCSV(strings.NewReader(in), "t.csv", Options{})
	require.NoError(t, err)
	require.Equal(t, []string{`the target "y" has 150 classes`}, info.Notes)
}

func TestReadCSVOptions(t *testing.T) {
	_, _, err := ReadCSV(strings.NewReader("a,y\n1,2\n"), "t.csv", Options{Task: "guess"})
	require.EqualError(t, err, `dataset: unknown task "guess"`)
	_, _, err = ReadCSV(strings.NewReader("a,y\n1,2\n"), "t.csv", Options{Comma: '"'})
	require.Error(t, err)
	var e *Error
	require.False(t, errors.As(err, &e))
}

// A failure to read is no fault of the data.
func TestReadFailure(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, in := range []string{"", "a,y\n1,2\n", "a,y\n1,\"2\n"} {
		r := io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken))
		_, _, err := ReadCSV(r, "t.csv", Options{})
		require.EqualError(t, err, "t.csv: disk on fire")
		require.ErrorIs(t, err, broken)
		var e *Error
		require.False(t, errors.As(err, &e))
	}
}

// endless yields its bytes for ever and counts them.
type endless struct {
	start, then string
	n           int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.start)
	e.start = e.start[n:]
	for n < len(p) {
		n += copy(p[n:], e.then)
	}
	e.n += n
	return n, nil
}

func TestEndlessInput(t *testing.T) {
	cases := []struct {
		name        string
		start, then string
		want        string
		most        int // bytes read
	}{
		{"Zeros", "", "\x00", "t.csv: is not a CSV file: byte 1 is NUL", 1 << 16},
		{"Binary", "PK\x03\x04", "\xfe\x00\x81", "t.csv: is not a CSV file but a ZIP archive", 1 << 16},
		{"OpenQuote", "a,b\n1,2\n3,\"", "x\n", "t.csv:2: the row that follows has no end within 8 MiB", 2 * maxRow},
		{"NoLineEnds", "", "name of a column,", "t.csv: the first line has no end within 8 MiB", 2 * maxRow},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := &endless{start: c.start, then: c.then}
			_, _, err := ReadCSV(r, "t.csv", Options{})
			require.EqualError(t, err, c.want)
			if r.n > c.most {
				t.Errorf("read %d bytes", r.n)
			}
		})
	}
}
