package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChoose(t *testing.T) {
	all := []isa{avx512, avx2, generic}
	for _, c := range []struct {
		available []isa
		requested string
		want      isa
		honored   bool
	}{
		{all, "", avx512, true},
		{all, "avx512", avx512, true},
		{all, "avx2", avx2, true},
		{all, "generic", generic, true},
		{all, "neon", avx512, false},
		{all, "bogus", avx512, false},
		{all, "AVX2", avx512, false},
		{all, " avx2", avx512, false},
		{all, "selected", avx512, false},
		{all, "unset", avx512, false},
		{all, "avx2,generic", avx512, false},
		{[]isa{avx2, generic}, "", avx2, true},
		{[]isa{avx2, generic}, "avx512", avx2, false},
		{[]isa{neon, generic}, "", neon, true},
		{[]isa{neon, generic}, "generic", generic, true},
		{[]isa{generic}, "", generic, true},
		{[]isa{generic}, "generic", generic, true},
		{[]isa{generic}, "avx2", generic, false},
	} {
		best, s := choose(c.available, c.requested)
		var names []string
		for _, i := range c.available {
			names = append(names, isaNames[i])
		}
		want := Selection{Name: isaNames[c.want], Available: names, Requested: c.requested, Honored: c.honored}
		if best != c.want || !reflect.DeepEqual(s, want) {
			t.Errorf("choose(%v, %q) is %v, %+v", names, c.requested, best, s)
		}
	}
}

func TestSelected(t *testing.T) {
	s := Selected()
	if s.Name != Default().Name() || s.Name != (Kernel{}).Name() {
		t.Errorf("Selected is %q, Default %q, the zero Kernel %q", s.Name, Default().Name(), Kernel{}.Name())
	}
	if s.Requested != os.Getenv("MGDL_KERNEL") {
		t.Errorf("Requested is %q", s.Requested)
	}
	var names []string
	for _, k := range Available() {
		names = append(names, k.Name())
		got, ok := Lookup(k.Name())
		if !ok || got != k || got.Name() != k.Name() {
			t.Errorf("Lookup(%q) is %v, %v", k.Name(), got, ok)
		}
	}
	if !slices.Equal(s.Available, names) || names[len(names)-1] != "generic" {
		t.Errorf("Available is %v, Selected has %v", names, s.Available)
	}
	if s.Requested == "" && (!s.Honored || s.Name != names[0]) {
		t.Errorf("%+v is not the best of %v", s, names)
	}
	for _, name := range []string{"", "selected", "unset", "bogus", "Generic", "sse2"} {
		if k, ok := Lookup(name); ok || k != (Kernel{}) {
			t.Errorf("Lookup(%q) is %v, %v", name, k, ok)
		}
	}
	s.Available[0] = "changed"
	if Selected().Available[0] == "changed" {
		t.Error("Selected shares its list with callers")
	}
}

// TestRequired fails where a job promised an implementation that is not there, so that
// tests that would have nothing to test cannot pass in silence.
func TestRequired(t *testing.T) {
	list := os.Getenv("MGDL_REQUIRE")
	if list == "" {
		t.Logf("MGDL_REQUIRE is not set; available: %v", Selected().Available)
		return
	}
	for name := range strings.SplitSeq(list, ",") {
		if _, ok := Lookup(strings.TrimSpace(name)); !ok {
			t.Errorf("MGDL_REQUIRE promises %q; available: %v, features %v", name, Selected().Available, Selected().Features)
		}
	}
}

// childProcess runs the test of that name alone in a process of its own.
func childProcess(t *testing.T, test string, env ...string) (string, error) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Skipf("no path of this program: %v", err)
	}
	cmd := exec.Command(path, "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "MGDL_") || strings.HasPrefix(s, "GORACE=")
	}), append(env, "MGDL_TEST_CHILD=1")...)
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Skipf("cannot start this program again: %v", err) // wasm, emulators
	}
	return string(out), err
}

func TestEnvironment(t *testing.T) {
	if os.Getenv("MGDL_TEST_CHILD") != "" {
		text, err := json.Marshal(Selected())
		require.NoError(t, err)
		fmt.Printf("selection %s\n", text)
		return
	}
	for _, requested := range []string{"", "generic", "avx2", "avx512", "neon", "bogus"} {
		out, err := childProcess(t, "TestEnvironment", "MGDL_KERNEL="+requested)
		require.NoError(t, err, out)
		_, text, ok := strings.Cut(out, "selection ")
		require.True(t, ok, out)
		text, _, _ = strings.Cut(text, "\n")
		var got Selection
		require.NoError(t, json.Unmarshal([]byte(text), &got), text)
		// An emulator may run the child on another CPU than this process: what it found is
		// compared only with itself.
		var available []isa
		for _, name := range got.Available {
			available = append(available, isa(slices.Index(isaNames[:], name)))
		}
		_, want := choose(available, requested)
		want.Features = got.Features
		if !reflect.DeepEqual(got, want) {
			t.Errorf("MGDL_KERNEL=%q: %+v, want %+v", requested, got, want)
		}
		if requested == "bogus" && (got.Honored || got.Name != got.Available[0]) {
			t.Errorf("MGDL_KERNEL=%q: %+v", requested, got)
		}
	}
}
