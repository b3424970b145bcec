package dataset

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

var bom = []byte("\xef\xbb\xbf")

// ParseSeparator reads the name of a field separator: a single character, or "tab",
// "\t" (a backslash and a t), "comma", "semicolon", "pipe" or "space".
func ParseSeparator(s string) (rune, error) {
	switch strings.ToLower(s) {
	case "tab", `\t`:
		return '\t', nil
	case "comma":
		return ',', nil
	case "semicolon":
		return ';', nil
	case "pipe":
		return '|', nil
	case "space":
		return ' ', nil
	}
	comma, n := utf8.DecodeRuneInString(s)
	if n != len(s) || !validComma(comma) {
		return 0, fmt.Errorf("%q cannot separate fields: want one character or tab", s)
	}
	return comma, nil
}

func validComma(c rune) bool {
	return c != 0 && c != '"' && c != '\r' && c != '\n' && utf8.ValidRune(c) && c != utf8.RuneError
}

// commaFor returns comma, or the one the name of the file implies.
func commaFor(name string, comma rune) rune {
	if comma != 0 {
		return comma
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".tsv", ".tab":
		return '\t'
	}
	return ','
}

// A reader yields the rows of a table that has a header.
type reader struct {
	*scanner
	header []string // trimmed; some may be empty
}

// open reads the header of a table. It reads no further than the first row's end if
// the input arrives line by line.
func open(r io.Reader, name string, comma rune) (*reader, error) {
	comma = commaFor(name, comma)
	if !validComma(comma) {
		return nil, fmt.Errorf("%q cannot separate fields", comma)
	}
	t := &reader{scanner: newScanner(&source{r: r, name: name}, name, comma)}
	if head := t.peek(1); len(head) > 0 && head[0] == bom[0] && bytes.HasPrefix(t.peek(len(bom)), bom) {
		t.lo += len(bom)
		t.peek(1)
	}
	if line, _, whole := bytes.Cut(t.peek(1), []byte("\n")); whole {
		if e := t.checkSeparator(string(line)); e != nil {
			return nil, e
		}
	}
	if err := t.scanner.next(); err != nil {
		if err == io.EOF {
			return nil, t.fault(0, "the file is empty", "")
		}
		return nil, err
	}
	t.advance()
	if len(t.fields) == 1 {
		if e := t.checkSeparator(string(t.fields[0])); e != nil {
			return nil, e
		}
	}
	t.header = make([]string, len(t.fields))
	for i, f := range t.fields {
		t.header[i] = string(bytes.TrimSpace(f))
		if !utf8.Valid(f) {
			return nil, t.fault(t.line, fmt.Sprintf("the name of column %d, %s, is not UTF-8", i+1, quote(string(f))), hintUTF8)
		}
	}
	return t, nil
}

const hintUTF8 = "save the file as UTF-8; it may be Latin-1 or Windows-1252 now"

// checkSeparator looks for another separator in a first line that lacks the one given.
func (t *reader) checkSeparator(line string) *Error {
	const usual = ",;\t|"
	var counts [len(usual)]int
	quoted := false
	for _, c := range line {
		switch i := strings.IndexRune(usual, c); {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == t.comma():
			return nil
		case i >= 0:
			counts[i]++
		}
	}
	n := slices.Max(counts[:])
	if n == 0 {
		return nil
	}
	found := separatorName(rune(usual[slices.Index(counts[:], n)]))
	return t.fault(1, fmt.Sprintf("the line has no '%s' but %d '%s'", separatorName(t.comma()), n, found),
		fmt.Sprintf("try --sep '%s'", found))
}

func separatorName(c rune) string {
	if c == '\t' {
		return `\t`
	}
	return string(c)
}

// numericHeader reports whether the names are all numbers, so that they are probably
// the first row of a table without a header.
func (t *reader) numericHeader() bool {
	numbers := 0
	for _, h := range t.header {
		switch _, k := parse([]byte(h)); k {
		case number:
			numbers++
		case empty, mark:
		default:
			return false
		}
	}
	return numbers > 0
}

// suspect returns err, or the likely reason for it that the header shows: a file whose
// lines end in CR alone is a single line, all of it header.
func (t *reader) suspect(err error) error {
	if err != nil && slices.ContainsFunc(t.header, func(h string) bool { return strings.Contains(h, "\r") }) {
		return t.fault(t.line, "the lines end in CR alone", "save the file with LF or CRLF line ends")
	}
	return err
}

func (t *reader) noRows() error {
	return t.suspect(t.fault(0, "the file has a header and no rows", ""))
}

func (t *reader) numericHeaderFault() *Error {
	return t.fault(t.line, "the line holds numbers, not the names of the columns",
		"put a line such as "+exampleHeader(len(t.header), t.comma())+" first")
}

func exampleHeader(n int, comma rune) string {
	sep := string(comma)
	switch n {
	case 1:
		return "x"
	case 2:
		return "x" + sep + "y"
	case 3:
		return "x1" + sep + "x2" + sep + "y"
	}
	return "x1" + sep + "x2" + sep + "..." + sep + "y"
}

// next returns the next row, valid until the call after it. A row that cannot be used
// is a fault, after which reading can go on; an error ends it.
func (t *reader) next() (fields [][]byte, bad *Error, err error) {
	for {
		if err = t.scanner.next(); err != nil {
			return nil, nil, err
		}
		t.advance()
		fields = t.fields
		// A line of white space is as blank as an empty one, which is no row.
		if len(fields) == 1 && len(t.header) > 1 && len(bytes.TrimSpace(fields[0])) == 0 {
			continue
		}
		if len(fields) != len(t.header) {
			return nil, t.ragged(len(fields)), nil
		}
		return fields, nil, nil
	}
}

// advance notes that a row is complete.
func (t *reader) advance() {
	t.src.mark = t.src.read
	t.src.line = t.line
}

func (t *reader) ragged(found int) *Error {
	hint := "a field is missing, or a separator"
	if found > len(t.header) {
		hint = fmt.Sprintf("put a field that contains '%s' in quotes", separatorName(t.comma()))
	}
	return t.fault(t.line, fmt.Sprintf("the row has %s, the header %s",
		plural(found, "field"), group(len(t.header))), hint)
}
