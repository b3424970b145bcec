//go:build !riscv64

package main

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/multigrade/multigrade/bench/internal/shapes"
)

//go:embed c
var sources embed.FS

// A library is a rival in C that is compiled in where its header and its code are found.
type library struct {
	name    string // also of its file in c
	macro   string // tells c/main.c that it is there
	include string
	probe   string // a call that only the right version has
	links   []string
	from    string // the Debian package
}

var libraries = []library{
	{"openblas", "HAVE_OPENBLAS", "cblas.h", "openblas_get_config()", []string{"-lopenblas"}, "libopenblas-dev"},
	{"onednn", "HAVE_ONEDNN", "dnnl.h", "dnnl_matmul_desc_init(0, 0, 0, 0, 0)", []string{"-ldnnl"}, "libdnnl-dev 2"},
	{"libxsmm", "HAVE_LIBXSMM", "libxsmm.h", "libxsmm_get_target_arch()", []string{"-lxsmm", "-lxsmmnoblas", "-ldl", "-lpthread"}, "libxsmm-dev"},
}

// compilers are those that are tried, best known first. The first one found also gets the
// libraries; another kind of compiler has a go at the plain loops.
var compilers = []string{"gcc", "clang", "cc"}

// optimise are the flags of everything. A result of NaN has to be seen, so the compiler may
// not assume that there is none.
var optimise = []string{"-std=gnu11", "-O3", "-ffast-math", "-fno-finite-math-only"}

// A compiler with the flags for this machine.
type compiler struct {
	name  string
	flags []string
}

// findCompilers returns the compilers that work here.
func findCompilers(dir string) []compiler {
	var found []compiler
	for _, name := range compilers {
		if name == "cc" && len(found) > 0 {
			break // one of the others by another name
		}
		c := compiler{name, optimise}
		if !c.works(dir, "int main(void) { return 0; }\n") {
			continue
		}
		for _, tries := range [][]string{{"-march=native", "-mcpu=native"}, {"-mprefer-vector-width=512"}} {
			for _, flag := range tries {
				with := compiler{name, append(c.flags[:len(c.flags):len(c.flags)], flag)}
				if with.works(dir, "int main(void) { return 0; }\n") {
					c = with
					break
				}
			}
		}
		found = append(found, c)
	}
	return found
}

// compile makes a program of files.
func (c compiler) compile(program string, files []string, more ...string) error {
	args := slices.Concat(c.flags, files, []string{"-o", program}, more, []string{"-lm"})
	if out, err := exec.Command(c.name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", c.name, strings.Join(args, " "), err, out)
	}
	return nil
}

// works tells whether a source can be compiled, in dir.
func (c compiler) works(dir, source string, more ...string) bool {
	file := filepath.Join(dir, "probe.c")
	return os.WriteFile(file, []byte(source), 0o600) == nil && c.compile(program(dir, "probe"), []string{file}, more...) == nil
}

func program(dir, name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(dir, name)
}

// has tells whether a program can use a library.
func (c compiler) has(dir string, l library) bool {
	source := fmt.Sprintf("#include <%s>\nint main(void) { (void)%s; return 0; }\n", l.include, l.probe)
	return c.works(dir, source, append([]string{"-Werror=implicit-function-declaration"}, l.links...)...)
}

// build makes the rival that a compiler makes of the files of c in dir, with libraries or
// without any.
func (c compiler) build(dir string, with []library) (string, error) {
	files := []string{"main.c", "problem.c", "loops.c"}
	more := []string{fmt.Sprintf("-DCHUNK=%d", shapes.ChunkRows), fmt.Sprintf("-DLOOPS=%q", "c-"+c.name)}
	for _, l := range with {
		files = append(files, l.name+".c")
		more = append(append(more, "-D"+l.macro), l.links...)
	}
	for i, name := range files {
		files[i] = filepath.Join(dir, "c", name)
	}
	program := program(dir, "rival-"+c.name)
	return program, c.compile(program, files, more...)
}

var errNoCompiler = errors.New("no C compiler (gcc, clang or cc)")

// buildRivals compiles the rivals in dir, once with every compiler, and returns the programs
// and what there could be besides.
func buildRivals(dir string) (programs, missing []string, err error) {
	cs := findCompilers(dir)
	if len(cs) == 0 {
		return nil, nil, errNoCompiler
	}
	if err := os.CopyFS(dir, sources); err != nil {
		return nil, nil, err
	}
	for i, c := range cs {
		var with []library
		for _, l := range libraries {
			switch {
			case i > 0: // the first one has them
			case c.has(dir, l):
				with = append(with, l)
			default:
				missing = append(missing, fmt.Sprintf("%s (package %s)", l.name, l.from))
			}
		}
		program, err := c.build(dir, with)
		if err != nil {
			return nil, nil, err
		}
		programs = append(programs, program)
	}
	return programs, missing, nil
}
