package dataset

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxRow bounds the bytes of one row, so that a quote left open does not make the rest
// of a large file one field in memory.
const maxRow = 8 << 20

// A source passes on what it reads until it meets something no table contains. Its
// errors are final.
type source struct {
	r    io.Reader
	name string
	read int64 // bytes passed on
	mark int64 // value of read when the last row was complete
	line int   // line of the last row, 0 before the first
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.read-s.mark > maxRow {
		s.err = s.longRow()
		return 0, s.err
	}
	n, err := s.r.Read(p)
	if s.read == 0 && n > 0 {
		if what, hint := foreign(p[:n]); what != "" {
			s.err = &Error{File: s.name, Msg: "is not a CSV file but " + what, Hint: hint}
			return 0, s.err
		}
	}
	if i := bytes.IndexByte(p[:n], 0); i >= 0 {
		s.err = &Error{
			File: s.name,
			Msg:  fmt.Sprintf("is not a CSV file: byte %s is NUL", group(int(s.read)+i+1)),
			Hint: "a table is UTF-8 text; is the file binary, or saved as UTF-16?",
		}
		n = i
	} else if err != nil && err != io.EOF {
		s.err = fmt.Errorf("%s: %w", s.name, err)
	}
	s.read += int64(n)
	if s.err != nil {
		return n, s.err
	}
	return n, err
}

func (s *source) longRow() error {
	e := &Error{
		File: s.name,
		Line: s.line,
		Msg:  fmt.Sprintf("the row that follows has no end within %d MiB", maxRow>>20),
		Hint: `is a quote (") left open, or does the file have no line ends?`,
	}
	if s.line == 0 {
		e.Msg = fmt.Sprintf("the first line has no end within %d MiB", maxRow>>20)
	}
	return e
}

// foreign tells from its first bytes what a file is if it is not a table, and what to do.
func foreign(head []byte) (what, hint string) {
	low := strings.ToLower(string(head[:min(len(head), 16)]))
	switch {
	case strings.HasPrefix(low, `{"`), strings.HasPrefix(low, "[{"):
		return "JSON", "write the records as a table with a header line"
	case strings.HasPrefix(low, "<!doctype"), strings.HasPrefix(low, "<html"), strings.HasPrefix(low, "<?xml"):
		return "HTML or XML", "was an error page saved instead of the data?"
	}
	// The marks below may begin a line of text, so they count only in what is not text.
	if utf8.Valid(head[:bytes.LastIndexByte(head, '\n')+1]) && bytes.IndexByte(head, 0) < 0 &&
		(head[0] < utf8.RuneSelf || bytes.HasPrefix(head, bom)) {
		return "", ""
	}
	for _, f := range [...]struct{ magic, what, hint string }{
		{"\x89PNG", "a PNG image", "give it a name that ends in .png"},
		{"\xff\xd8\xff", "a JPEG image", "give it a name that ends in .jpg"},
		{"GIF8", "a GIF image", "give it a name that ends in .gif"},
		{"II*\x00", "a TIFF image", "give it a name that ends in .tif"},
		{"MM\x00*", "a TIFF image", "give it a name that ends in .tif"},
		{"\x93NUMPY", "a NumPy array", "give it a name that ends in .npy"},
		{"PK\x03\x04", "a ZIP archive", "from Excel: save the sheet as CSV UTF-8; from NumPy: give it a name that ends in .npz"},
		{"\xd0\xcf\x11\xe0", "an Excel workbook", "save the sheet as CSV UTF-8"},
		{"PAR1", "a Parquet file", "give it a name that ends in .parquet"},
		{"\x1f\x8b", "a gzip archive", "unpack it first: gunzip"},
		{"BZh", "a bzip2 archive", "unpack it first: bunzip2"},
		{"\xfd7zXZ", "an xz archive", "unpack it first: unxz"},
		{"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it first: unzstd"},
		{"%PDF", "a PDF document", ""},
		{"SQLite format 3", "an SQLite database", "write the query's result as CSV"},
		{"\x7fELF", "a program", ""},
		{"\xff\xfe", "UTF-16 text", "save it as CSV UTF-8"},
		{"\xfe\xff", "UTF-16 text", "save it as CSV UTF-8"},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.what, f.hint
		}
	}
	// safetensors: the length of a JSON header in eight bytes, then the header.
	if len(head) > 8 && head[8] == '{' && bytes.IndexByte(head[:8], 0) >= 0 {
		return "a safetensors file", "is it a model given in the place of the data?"
	}
	return "", ""
}
