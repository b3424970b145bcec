package mgdl

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// ReadFile reads the model file at path. Its errors are those of ReadModel, with the
// path, and those of opening the file.
func ReadFile(path string) (*Model, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mgdl: %w", err)
	}
	defer file.Close()
	m, err := ReadModel(file)
	if fe := (*fileError)(nil); errors.As(err, &fe) {
		return nil, &fileError{path: path, msg: fe.msg, kind: fe.kind}
	}
	return m, err
}

// WriteFile writes m to path: to a temporary file in the same directory, which is synced
// and then renamed, and the directory is synced. So at every moment, crash or not, path
// is the whole old file or the whole new one; after an error it is the old one, unless
// only the last step failed. Permissions of an existing file are kept and a symbolic
// link is followed.
func WriteFile(path string, m *Model) error {
	if err := writeFile(path, m.write); err != nil {
		return fmt.Errorf("mgdl: writing %s: %w", path, err)
	}
	return nil
}

// writeFile replaces the file at path with what write writes.
func writeFile(path string, write func(io.Writer) error) (err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	old, err := os.Stat(path)
	switch {
	case err == nil && !old.Mode().IsRegular():
		return errors.New("it is not a regular file")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	tmp, err := createTemp(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close() // an error if it is closed already, which is no matter
			os.Remove(tmp.Name())
		}
	}()
	if err := write(tmp); err != nil {
		return err
	}
	if old != nil {
		if err := tmp.Chmod(old.Mode().Perm()); err != nil && !unsupported(err) {
			return err
		}
	}
	if err := tmp.Sync(); err != nil && !unsupported(err) {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// createTemp creates a new file beside path. Unlike os.CreateTemp's, its permissions are
// those of any new file.
func createTemp(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	for try := 0; ; try++ {
		name := dir + "." + base + "." + strconv.FormatUint(uint64(rand.Uint32()), 36) + ".tmp"
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil || !errors.Is(err, fs.ErrExist) || try == 100 {
			return file, err
		}
	}
}

// syncDir makes a rename in dir outlast a crash, where a directory can be synced.
func syncDir(dir string) error {
	switch runtime.GOOS {
	case "windows", "plan9", "js", "wasip1":
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil // a directory that can be written to but not read
		}
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !unsupported(err) {
		return err
	}
	return nil
}

// unsupported tells the errors of file systems that lack an operation from failures.
func unsupported(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL)
}
