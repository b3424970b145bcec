package main

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
)

// demoData holds the tables behind demo:NAME; demodata/README.md says where they are from.
//
//go:embed demodata/*.csv
var demoData embed.FS

// demoPrefix begins the name of a table that comes with the command.
const demoPrefix = "demo:"

// A table is DATA as the user names it: a file, "-" for CSV on standard input, or
// "demo:" and a name.
type table struct {
	path  string
	comma rune      // what separates columns; 0 means by the file's name
	in    io.Reader // standard input
}

// A fingerprint tells whether a table is the same again.
type fingerprint struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

func (t table) isStdin() bool { return t.path == "-" }
func (t table) isDemo() bool  { return strings.HasPrefix(t.path, demoPrefix) }

// file returns the path of the table's file, or "" if it has none.
func (t table) file() string {
	if t.isStdin() || t.isDemo() {
		return ""
	}
	return t.path
}

// name is how errors call the table.
func (t table) name() string {
	if t.isStdin() {
		return "stdin"
	}
	return t.path
}

// base is the table's name without folder and extension, for files made from it.
func (t table) base() string {
	switch {
	case t.isStdin():
		return "model"
	case t.isDemo():
		return strings.TrimPrefix(t.path, demoPrefix)
	}
	return stem(filepath.Base(t.path))
}

// check says, before anything is opened, whether this version reads such a table.
func (t table) check() error {
	if t.isDemo() {
		if !slices.Contains(demoNames(), t.base()) {
			return dataError("%s: no such table (there are %s)", t.path, strings.Join(demoNames(), ", "))
		}
		return nil
	}
	switch ext := strings.ToLower(filepath.Ext(t.path)); {
	case t.isStdin() || ext == ".csv" || ext == ".tsv":
		return nil
	case ext == "":
		return dataError("%s: this version reads .csv and .tsv files; for CSV under another name write: - < %s", t.path, t.path)
	default:
		return dataError("%s: this version reads .csv and .tsv files, and CSV on standard input (-), not %s", t.path, ext)
	}
}

// open returns the table's bytes.
func (t table) open() (io.ReadCloser, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	switch {
	case t.isStdin():
		return io.NopCloser(t.in), nil
	case t.isDemo():
		return demoData.Open("demodata/" + t.base() + ".csv")
	}
	f, err := os.Open(t.path)
	if err != nil {
		return nil, &failure{exitData, pathError(t.path, err)}
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, dataError("%s: is a directory", t.path)
	}
	return f, nil
}

// read passes the table's bytes to parse and fingerprints them on the way. If parse fails
// the fingerprint is still that of the whole table, unless it would have to be waited for.
func (t table) read(parse func(r io.Reader) error) (fingerprint, error) {
	f, err := t.open()
	if err != nil {
		return fingerprint{}, err
	}
	defer f.Close()
	h := sha256.New()
	counted := &countingReader{r: io.TeeReader(f, h)}
	if err = parse(counted); err != nil {
		err = &failure{exitData, err}
		if t.isStdin() {
			return fingerprint{}, err
		}
	}
	if _, e := io.Copy(io.Discard, counted); e != nil && err == nil {
		err = &failure{exitData, pathError(t.name(), e)}
	}
	return fingerprint{hex.EncodeToString(h.Sum(nil)), counted.n}, err
}

// readFor reads the table for a model with schema s.
func (t table) readFor(s mgdl.Schema, needTarget bool) (d mgdl.Data, sum fingerprint, err error) {
	sum, err = t.read(func(r io.Reader) (err error) {
		d, err = dataset.ReadCSVFor(r, t.name(), s, t.comma, needTarget)
		return err
	})
	return d, sum, err
}

// demoNames lists the tables that come with the command.
func demoNames() []string {
	names, _ := fs.Glob(demoData, "demodata/*.csv")
	for i, n := range names {
		names[i] = stem(filepath.Base(n))
	}
	return names
}

// sepUsage explains the flag --sep; separator reads it.
const sepUsage = "`character` between columns, such as ';' or tab (default comma, in .tsv files tab)"

// separator returns the rune that --sep stands for; 0 leaves the choice to the file's name.
func separator(cmd *cobra.Command, sep string) (rune, error) {
	if sep == "" {
		return 0, nil
	}
	r, err := dataset.ParseSeparator(sep)
	if err != nil {
		return 0, usageError(cmd, "--sep %w", err)
	}
	return r, nil
}

// dataError makes an error about DATA.
func dataError(format string, args ...any) error {
	return &failure{exitData, fmt.Errorf(format, args...)}
}

// pathError says what happened to path in one line, without the name of the system call.
func pathError(path string, err error) error {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file", path)
	case errors.As(err, &p):
		return fmt.Errorf("%s: %w", path, p.Err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// stem returns name without its extension.
func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// A countingReader counts what is read from r.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
