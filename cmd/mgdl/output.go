package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/multigrade/multigrade/mgdl"
)

// checkOutput says whether a file can be written at path, before any work is done for
// it: the folder exists and can be written to, and path is neither something other than
// a file nor one of the inputs. It leaves nothing behind.
func checkOutput(path string, inputs ...string) error {
	wrong := func(format string, args ...any) error {
		return &failure{exitUsage, fmt.Errorf("%s: "+format, append([]any{path}, args...)...)}
	}
	dir := filepath.Dir(path)
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return wrong("there is no folder %s", dir)
	case err != nil:
		return pathError(dir, err)
	case !info.IsDir():
		return wrong("%s is not a folder", dir)
	}
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return pathError(path, err)
	case info.IsDir():
		return wrong("is a directory, want a file name to write to")
	case !info.Mode().IsRegular():
		return wrong("is not a regular file")
	}
	for _, in := range inputs {
		if samePath(path, in) {
			return wrong("would overwrite the input")
		}
	}
	f, err := os.CreateTemp(dir, ".mgdl-*")
	if err != nil {
		return fmt.Errorf("cannot write to %w", pathError(dir, err))
	}
	f.Close()
	return os.Remove(f.Name())
}

// samePath reports whether a and b are the same file, or will be once written.
func samePath(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	ai, aErr := os.Stat(a)
	bi, bErr := os.Stat(b)
	if aErr == nil && bErr == nil {
		return os.SameFile(ai, bi)
	}
	aAbs, aErr := filepath.Abs(a)
	bAbs, bErr := filepath.Abs(b)
	return aErr == nil && bErr == nil && aAbs == bAbs
}

// writeAtomic writes a file under a temporary name in the same folder and renames it
// once it is complete and on disk: path holds what it held before, or all that write
// wrote.
func writeAtomic(path string, write func(w io.Writer) error) (err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	mode := fs.FileMode(0o666) // less what the umask takes
	if old, err := os.Stat(path); err == nil {
		mode = old.Mode().Perm()
	}
	temp := fmt.Sprintf("%s/.%s.%08x.tmp", filepath.Dir(path), filepath.Base(path), rand.Uint32())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return pathError(path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(temp)
		}
	}()
	w := bufio.NewWriter(f)
	if err := write(w); err != nil {
		return err
	}
	if err := errors.Join(w.Flush(), f.Sync(), f.Close()); err != nil {
		return pathError(path, err)
	}
	if err := os.Rename(temp, path); err != nil {
		return pathError(path, err)
	}
	return nil
}

// readModel reads a model file; every error is one about the model.
func readModel(path string) (*mgdl.Model, error) {
	m, err := mgdl.ReadFile(path)
	if err == nil {
		return m, nil
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return nil, &failure{exitModel, pathError(path, err)}
	}
	text := errorText(err)
	if !strings.HasPrefix(text, path) {
		text = path + ": " + text
	}
	return nil, &failure{exitModel, errors.New(text)}
}

// printJSON writes v as one line.
func printJSON(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// A number is a float64 that JSON can carry: null where it is not finite.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// grouped writes n with commas between thousands.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short writes x with four significant digits, for people.
func short(x float64) string {
	if a := math.Abs(x); a >= 1e4 && a < 1e15 {
		return grouped(int(math.Round(x)))
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

// shape names the network of one grade, as in "relu 64-64 x 8".
func shape(g mgdl.GradeInfo) string {
	if len(g.Hidden) == 0 {
		return g.Kind
	}
	widths := make([]string, len(g.Hidden))
	for i, n := range g.Hidden {
		widths[i] = strconv.Itoa(n)
	}
	s := g.Kind + " " + strings.Join(widths, "-")
	if g.Networks > 1 {
		s += " x " + strconv.Itoa(g.Networks)
	}
	return s
}

// count writes n and its noun: "1 row", "2,000 rows".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}
