//go:build !riscv64

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/multigrade/multigrade/bench/internal/shapes"
)

//go:embed c/rival.c
var rivalSource string

// A library is a rival in C that is compiled in where its header and its code are found.
type library struct {
	name    string
	macro   string // tells rival.c that it is there
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
		if c.compile(dir, "probe", "int main(void) { return 0; }\n") != nil {
			continue
		}
		for _, tries := range [][]string{{"-march=native", "-mcpu=native"}, {"-mprefer-vector-width=512"}} {
			for _, flag := range tries {
				with := compiler{name, append(c.flags[:len(c.flags):len(c.flags)], flag)}
				if with.compile(dir, "probe", "int main(void) { return 0; }\n") == nil {
					c = with
					break
				}
			}
		}
		found = append(found, c)
	}
	return found
}

// compile makes the program of that name from source.
func (c compiler) compile(dir, name, source string, more ...string) error {
	file := filepath.Join(dir, name+".c")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		return err
	}
	args := append(append(append([]string{}, c.flags...), file, "-o", program(dir, name)), more...)
	if out, err := exec.Command(c.name, append(args, "-lm")...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", c.name, strings.Join(args, " "), err, out)
	}
	return nil
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
	return c.compile(dir, "probe", source, append([]string{"-Werror=implicit-function-declaration"}, l.links...)...) == nil
}

var errNoCompiler = errors.New("no C compiler (gcc, clang or cc)")

// buildRivals compiles rival.c in dir, once for every compiler, and returns the programs and
// what there could be besides.
func buildRivals(dir string) (programs, missing []string, err error) {
	cs := findCompilers(dir)
	if len(cs) == 0 {
		return nil, nil, errNoCompiler
	}
	for i, c := range cs {
		more := []string{fmt.Sprintf("-DCHUNK=%d", shapes.ChunkRows), fmt.Sprintf("-DLOOPS=%q", "c-"+c.name)}
		var links []string
		for _, l := range libraries {
			switch {
			case i > 0:
			case c.has(dir, l):
				more = append(more, "-D"+l.macro)
				links = append(links, l.links...)
			default:
				missing = append(missing, fmt.Sprintf("%s (package %s)", l.name, l.from))
			}
		}
		if err := c.compile(dir, "rival-"+c.name, rivalSource, append(more, links...)...); err != nil {
			return nil, nil, err
		}
		programs = append(programs, program(dir, "rival-"+c.name))
	}
	return programs, missing, nil
}
