// Package layout holds the house to its plan: who may import whom, and what the core
// module depends on.
package layout

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/multigrade/multigrade"

// allowed names, for each package of ours, the packages of ours and the modules outside
// the standard library that it may import. Tests may import testify and their own needs
// as listed under "tests".
var allowed = map[string][]string{
	"kernel":                 {"github.com/klauspost/cpuid/v2"},
	"mgdl":                   {"internal/backprop", "kernel", "mgdl/convex"},
	"mgdl/dataset":           {"mgdl"},
	"mgdl/convex":            {"kernel"},
	"mgdl/construct":         {"kernel", "mgdl"},
	"bench":                  {"bench/internal/machine", "bench/internal/probe", "bench/internal/shapes", "internal/backprop", "kernel"},
	"bench/internal/machine": {"bench/internal/probe", "bench/internal/shapes", "internal/backprop", "kernel", "github.com/klauspost/cpuid/v2", "golang.org/x/sys"},
	"bench/internal/probe":   {"internal/backprop"},
	"bench/internal/shapes":  {},
	"bench/awkward":          {"kernel"},
	"bench/quality":          {"mgdl", "mgdl/dataset"},
	"bench/steps":            {"mgdl"},
	"bench/scale":            {"mgdl", "mgdl/dataset"},
	"bench/convex":           {"kernel", "mgdl", "mgdl/convex", "mgdl/dataset"},
	"bench/peer":             {"bench/internal/shapes", "internal/backprop", "kernel"},
	"internal/backprop":      {"kernel"},
	"internal/layout":        {},
	"tests":                  {"github.com/stretchr/testify", "golang.org/x/sys", "kernel", "mgdl", "mgdl/dataset"},
}

// TestImports walks every package of the core module.
func TestImports(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			name := d.Name()
			_, nested := os.Stat(filepath.Join(file, "go.mod"))
			if file != root && (nested == nil || name == "testdata" || strings.HasPrefix(name, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		seen++
		rel, err := filepath.Rel(root, filepath.Dir(file))
		require.NoError(t, err)
		pkg := filepath.ToSlash(rel)
		may, known := allowed[pkg]
		if strings.HasPrefix(pkg, "examples/") {
			may, known = []string{"mgdl", "mgdl/dataset"}, true
		}
		if !known {
			t.Errorf("%s: package %q has no place in the plan", file, pkg)
			return nil
		}
		if strings.HasSuffix(file, "_test.go") {
			may = append(append([]string{pkg}, may...), allowed["tests"]...)
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, imp := range f.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			require.NoError(t, err)
			if !permitted(name, may) {
				t.Errorf("%s imports %s", file, name)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, seen, 20, "the walk found hardly any file")
}

// permitted tells whether a package may import name.
func permitted(name string, may []string) bool {
	if !strings.Contains(strings.Split(name, "/")[0], ".") {
		return true // standard library
	}
	for _, m := range may {
		if !strings.Contains(strings.Split(m, "/")[0], ".") {
			m = path.Join(module, m)
			if name == m {
				return true
			}
			continue
		}
		if name == m || strings.HasPrefix(name, m+"/") {
			return true
		}
	}
	return false
}

// TestDependencies reads the modules the core module requires directly, and sees that
// nothing is replaced in any module people install.
func TestDependencies(t *testing.T) {
	want := []string{"github.com/klauspost/cpuid/v2", "github.com/stretchr/testify", "golang.org/x/sys"}
	var got []string
	data, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	require.NoError(t, err)
	for _, line := range strings.Split(string(data), "\n") {
		line = strings.TrimPrefix(strings.TrimSpace(line), "require ")
		if f := strings.Fields(line); len(f) >= 2 && strings.Contains(f[0], "/") && f[0] != "//" && !strings.Contains(line, "// indirect") {
			got = append(got, f[0])
		}
	}
	sort.Strings(got)
	require.Equal(t, want, got)
	for _, mod := range []string{"go.mod", "cmd/mgdl/go.mod"} {
		data, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(mod)))
		require.NoError(t, err)
		for _, line := range strings.Split(string(data), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "replace") {
				t.Errorf("%s: %s", mod, line)
			}
		}
	}
}
