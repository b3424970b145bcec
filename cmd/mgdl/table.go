package main

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
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
	const kinds = ".csv and .tsv tables, .npy and .npz arrays, .png, .jpg, .gif and .tif pictures"
	switch ext := t.extension(); {
	case t.isStdin() || isPicture(t.path) || slices.Contains([]string{".csv", ".tsv", ".npy", ".npz"}, ext):
		return nil
	case ext == "":
		return dataError("%s: this version reads %s; for CSV under another name write: - < %s", t.path, kinds, t.path)
	default:
		return dataError("%s: this version reads %s, and CSV on standard input (-), not %s", t.path, kinds, ext)
	}
}

// extension returns what the table's kind follows from.
func (t table) extension() string { return strings.ToLower(filepath.Ext(t.file())) }

// isPicture reports whether the table is the pixels of one.
func (t table) isPicture() bool { return isPicture(t.file()) }

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

// load reads the table for training.
func (t table) load(o dataset.Options) (d mgdl.Data, info dataset.Info, sum fingerprint, err error) {
	sum, err = t.read(reading{
		text: func(r io.Reader) (err error) {
			d, info, err = dataset.ReadCSV(r, t.name(), o)
			return err
		},
		array: func(r io.Reader) (err error) {
			d, info, err = dataset.ReadNPY(r, t.name(), o)
			return err
		},
		arrays: func(r io.ReaderAt, size int64) (err error) {
			d, info, err = dataset.ReadNPZ(r, size, t.name(), o)
			return err
		},
		picture: func(m image.Image, note string) (err error) {
			d, info, err = dataset.ReadImage(m, t.name(), o)
			if note != "" {
				info.Notes = append(info.Notes, note)
			}
			return err
		},
	})
	return d, info, sum, err
}

// readFor reads the table for a model with schema s.
func (t table) readFor(s mgdl.Schema, needTarget bool) (d mgdl.Data, sum fingerprint, err error) {
	sum, err = t.read(reading{
		text: func(r io.Reader) (err error) {
			d, err = dataset.ReadCSVFor(r, t.name(), s, t.comma, needTarget)
			return err
		},
		array: func(r io.Reader) (err error) {
			d, err = dataset.ReadNPYFor(r, t.name(), s, needTarget)
			return err
		},
		arrays: func(r io.ReaderAt, size int64) (err error) {
			d, err = dataset.ReadNPZFor(r, size, t.name(), s, needTarget)
			return err
		},
		picture: func(m image.Image, _ string) (err error) {
			d, err = dataset.ReadImageFor(m, t.name(), s, needTarget)
			return err
		},
	})
	return d, sum, err
}

// reading is what to do with a table of each kind.
type reading struct {
	text, array func(r io.Reader) error
	arrays      func(r io.ReaderAt, size int64) error
	picture     func(m image.Image, note string) error
}

// read has the table read as its kind is and fingerprints its bytes, those of text and of
// an array on the way. If that fails the fingerprint is still that of the whole table,
// unless it would have to be waited for.
func (t table) read(do reading) (fingerprint, error) {
	f, err := t.open()
	if err != nil {
		return fingerprint{}, err
	}
	defer f.Close()
	h := sha256.New()
	counted := &countingReader{r: io.TeeReader(f, h)}
	switch ext := t.extension(); {
	case ext == ".npz" || t.isPicture():
		file := f.(*os.File)
		var info fs.FileInfo
		if info, err = file.Stat(); err != nil {
			return fingerprint{}, &failure{exitData, pathError(t.path, err)}
		}
		if ext == ".npz" {
			err = do.arrays(file, info.Size())
			break
		}
		var m image.Image
		var note string
		if m, note, err = decodePicture(file, info.Size(), t.name()); err == nil {
			err = do.picture(m, note)
		}
	case ext == ".npy":
		err = do.array(bufio.NewReaderSize(counted, 1<<18))
	default:
		err = do.text(counted)
	}
	if err != nil {
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
