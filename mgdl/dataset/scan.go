package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"unicode"
	"unicode/utf8"
)

// A scanner splits lines into fields as RFC 4180 has them. A row that holds no quote, which
// is nearly every one, is split where it lies in the buffer; only quoted text is copied.
type scanner struct {
	src  *source
	name string // of the file in errors
	rows bool   // what errors count is rows, not lines
	sep  []byte // a character
	trim bool   // white space before a field does not count, not even before a quote

	buf    []byte
	lo, hi int // the bytes of buf that are read and not used
	end    error
	number int // of the line read last

	line   int      // the line in which the last row begins
	fields [][]byte // its fields, valid until the next row
	lines  []int    // the line in which each of them begins, if the row has quotes
	text   []byte   // its fields without their quotes, if it has quotes
	ends   []int    // of the fields in text
}

func newScanner(src *source, name string, comma rune) *scanner {
	return &scanner{
		src: src, name: name, sep: utf8.AppendRune(nil, comma),
		trim: !unicode.IsSpace(comma), // a tab is white space too
		buf:  make([]byte, 64<<10),
	}
}

// fill reads once, behind the bytes that are not used yet.
func (s *scanner) fill() {
	const idle = 100 // reads of nothing in a row that a reader may do
	if s.lo > 0 {
		s.hi = copy(s.buf, s.buf[s.lo:s.hi])
		s.lo = 0
	}
	if s.hi == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range idle {
		n, err := s.src.Read(s.buf[s.hi:])
		s.hi += n
		s.end = err
		if n > 0 || err != nil {
			return
		}
	}
	s.end = fmt.Errorf("%s: %w", s.name, io.ErrNoProgress)
}

// peek returns what is read and not used, at least n bytes unless the input ends before.
func (s *scanner) peek(n int) []byte {
	for s.hi-s.lo < n && s.end == nil {
		s.fill()
	}
	return s.buf[s.lo:s.hi]
}

// readLine returns the next line without its end, valid until the call after it, and
// whether there was a line end. It reads only while there is none.
func (s *scanner) readLine() (line []byte, whole bool, err error) {
	for seen := 0; ; {
		if i := bytes.IndexByte(s.buf[s.lo+seen:s.hi], '\n'); i >= 0 {
			line = s.buf[s.lo : s.lo+seen+i]
			s.lo += seen + i + 1
			s.number++
			return bytes.TrimSuffix(line, cr), true, nil
		}
		seen = s.hi - s.lo
		if s.end == nil {
			s.fill()
			continue
		}
		if s.end != io.EOF || seen == 0 {
			return nil, false, s.end
		}
		line = bytes.TrimSuffix(s.buf[s.lo:s.hi], cr)
		s.lo = s.hi
		if len(line) == 0 {
			return nil, false, io.EOF // half a line end
		}
		s.number++
		return line, false, nil
	}
}

var cr = []byte("\r")

// next reads a row: its line, fields and lines. Empty lines are no rows.
func (s *scanner) next() error {
	for {
		line, whole, err := s.readLine()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			continue
		}
		s.line = s.number
		s.fields, s.lines = s.fields[:0], s.lines[:0]
		if bytes.IndexByte(line, '"') >= 0 {
			return s.quoted(line, whole)
		}
		s.plain(line)
		return nil
	}
}

// plain splits a line without quotes, eight bytes at a time.
func (s *scanner) plain(line []byte) {
	if len(s.sep) > 1 {
		s.fields = append(s.fields, bytes.Split(line, s.sep)...)
		return
	}
	fields, start, i := s.fields, 0, 0
	sep := uint64(s.sep[0]) * eachByte
	for ; i+8 <= len(line); i += 8 {
		m := zeroBytes(binary.LittleEndian.Uint64(line[i:]) ^ sep)
		for ; m != 0; m &= m - 1 {
			at := i + bits.TrailingZeros64(m)/8
			fields = append(fields, line[start:at])
			start = at + 1
		}
	}
	for ; i < len(line); i++ {
		if line[i] == s.sep[0] {
			fields = append(fields, line[start:i])
			start = i + 1
		}
	}
	s.fields = append(fields, line[start:])
}

const (
	eachByte = 0x0101010101010101
	lowBits  = 0x7f * eachByte
)

// zeroBytes returns the bytes of w that are zero as 0x80, the others as 0.
func zeroBytes(w uint64) uint64 { return ^((w&lowBits + lowBits) | w | lowBits) }

// quoted splits a row that begins with the given line and goes on in others where a quoted
// field does.
func (s *scanner) quoted(line []byte, whole bool) error {
	s.text, s.ends = s.text[:0], s.ends[:0]
	at := 0 // bytes of the line before what line holds now
	cut := func(n int) { line, at = line[n:], at+n }
	for more := true; more; {
		if s.trim {
			cut(len(line) - len(bytes.TrimLeftFunc(line, unicode.IsSpace)))
		}
		s.lines = append(s.lines, s.number)
		if len(line) == 0 || line[0] != '"' {
			end := bytes.Index(line, s.sep)
			if more = end >= 0; !more {
				end = len(line)
			}
			if i := bytes.IndexByte(line[:end], '"'); i >= 0 {
				return s.fault(s.number, fmt.Sprintf("a quote at byte %d of the line is inside a field that is not quoted", at+i+1),
					`put the field in quotes and write each quote inside it twice`)
			}
			s.text = append(s.text, line[:end]...)
			s.ends = append(s.ends, len(s.text))
			if more {
				cut(end + len(s.sep))
			}
			continue
		}
		cut(1)
		for closed := false; !closed; {
			i := bytes.IndexByte(line, '"')
			if i < 0 { // the field goes on in the next line
				s.text = append(s.text, line...)
				cut(len(line))
				if !whole {
					return s.openQuote(at)
				}
				s.text = append(s.text, '\n')
				var err error
				if line, whole, err = s.readLine(); err == io.EOF {
					return s.openQuote(at + 1)
				} else if err != nil {
					return err
				}
				at = 0
				continue
			}
			s.text = append(s.text, line[:i]...)
			cut(i + 1)
			switch {
			case len(line) > 0 && line[0] == '"':
				s.text = append(s.text, '"')
				cut(1)
			case len(line) == 0:
				closed, more = true, false
			case bytes.HasPrefix(line, s.sep):
				closed = true
				cut(len(s.sep))
			default:
				return s.openQuote(at - 1)
			}
		}
		s.ends = append(s.ends, len(s.text))
	}
	from := 0
	for _, end := range s.ends {
		s.fields = append(s.fields, s.text[from:end])
		from = end
	}
	return nil
}

// openQuote is about a quoted field whose text ends where at bytes of the line are read.
func (s *scanner) openQuote(at int) error {
	if s.number == s.line {
		return s.fault(s.line, fmt.Sprintf("the quoted field that ends at byte %d of the line is not closed, or not followed by '%s'",
			at+1, separatorName(s.comma())), `write each quote inside a quoted field twice`)
	}
	return s.fault(s.line, fmt.Sprintf("a quoted field of this row runs to line %d and is not closed properly there", s.number),
		`close the quote, and write each quote inside a quoted field twice`)
}

func (s *scanner) comma() rune {
	c, _ := utf8.DecodeRune(s.sep)
	return c
}

func (s *scanner) fault(line int, msg, hint string) *Error {
	return &Error{File: s.name, Line: line, Row: s.rows, Msg: msg, Hint: hint}
}

// fieldLine returns the line in which a field of the last row begins.
func (s *scanner) fieldLine(i int) int {
	if len(s.lines) == 0 {
		return s.line
	}
	return s.lines[i]
}
