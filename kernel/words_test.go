package kernel

import (
	"encoding/binary"
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Words of words_arm64.h: what they mean is checked on every machine by a table, and, where
// GNU objdump for arm64 is there, against its reading of all operands and of the object.

// A word is one macro of the header.
type word struct {
	name   string
	params []string
	expr   string         // the word, in Go syntax
	text   string         // the instruction, with <param> for operands
	shape  *regexp.Regexp // matches instructions of this kind, operands captured
	order  []string       // the params captured
}

// wordFiles use the header.
var wordFiles = []string{"kernel_arm64.s", "reduce_arm64.s"}

var (
	wordLine  = regexp.MustCompile(`^#define (\w+)\(([^)]*)\) WORD \$\((.*)\) // (.*)$`)
	wordParam = regexp.MustCompile(`<(\w)>`)
	wordName  = regexp.MustCompile(`\b[A-Za-z_]\w*\b`)
	spaces    = regexp.MustCompile(`\s+`)
)

func readWords(t *testing.T) []*word {
	t.Helper()
	data, err := os.ReadFile("words_arm64.h")
	if err != nil {
		t.Fatal(err)
	}
	var words []*word
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		m := wordLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("words_arm64.h:%d: not a word with its text: %s", i+1, line)
		}
		w := &word{name: m[1], params: strings.Split(m[2], ", "), expr: m[3], text: m[4]}
		shape := regexp.QuoteMeta(w.text)
		for _, p := range wordParam.FindAllStringSubmatch(w.text, -1) {
			w.order = append(w.order, p[1])
			shape = strings.Replace(shape, p[0], `(\d+)`, 1)
		}
		w.shape = regexp.MustCompile("^" + shape + "$")
		words = append(words, w)
	}
	return words
}

// replace puts values for names that stand alone in s.
func replace(s string, names, values []string) string {
	return wordName.ReplaceAllStringFunc(s, func(n string) string {
		if i := slices.Index(names, n); i >= 0 {
			return values[i]
		}
		return n
	})
}

func evaluate(t *testing.T, expr string) uint64 {
	t.Helper()
	v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	u, exact := constant.Uint64Val(constant.ToInt(v.Value))
	if !exact {
		t.Fatalf("%s is %v", expr, v.Value)
	}
	return u
}

// encode returns the word for operands in the order of params, and its text.
func (w *word) encode(t *testing.T, operands []string) (uint32, string) {
	t.Helper()
	if len(operands) != len(w.params) {
		t.Fatalf("%s has %d operands, want %d", w.name, len(operands), len(w.params))
	}
	text := wordParam.ReplaceAllStringFunc(w.text, func(p string) string {
		return strconv.FormatUint(evaluate(t, operands[slices.Index(w.params, p[1:2])]), 10)
	})
	u := evaluate(t, replace(w.expr, w.params, operands))
	if u>>32 != 0 {
		t.Fatalf("%s(%s) is %#x", w.name, strings.Join(operands, ", "), u)
	}
	return uint32(u), text
}

// decode tells whether an instruction is of this kind, and its operands in the order of
// params.
func (w *word) decode(text string) ([]string, bool) {
	m := w.shape.FindStringSubmatch(text)
	if m == nil {
		return nil, false
	}
	operands := make([]string, len(w.params))
	for i, p := range w.order {
		operands[slices.Index(w.params, p)] = m[i+1]
	}
	return operands, true
}

// TestWords compares with what GNU as makes of the text.
func TestWords(t *testing.T) {
	words := readWords(t)
	seen := map[string]bool{}
	for _, c := range []struct {
		text string
		word uint32
	}{
		{"fmla v3.4s, v9.4s, v8.s[3]", 0x4fa81923},
		{"fmla v18.4s, v21.4s, v30.s[2]", 0x4f9e1ab2},
		{"fmla v9.2d, v7.2d, v10.d[1]", 0x4fca18e9},
		{"fmla v25.2d, v17.2d, v25.d[0]", 0x4fd91239},
		{"fadd v0.4s, v14.4s, v13.4s", 0x4e2dd5c0},
		{"fadd v23.4s, v20.4s, v24.4s", 0x4e38d697},
		{"fadd v3.2d, v3.2d, v11.2d", 0x4e6bd463},
		{"fadd v23.2d, v24.2d, v29.2d", 0x4e7dd717},
		{"faddp v8.4s, v7.4s, v6.4s", 0x6e26d4e8},
		{"faddp v26.4s, v29.4s, v18.4s", 0x6e32d7ba},
		{"fsub v3.4s, v10.4s, v2.4s", 0x4ea2d543},
		{"fsub v29.4s, v30.4s, v24.4s", 0x4eb8d7dd},
		{"fmul v6.4s, v11.4s, v0.4s", 0x6e20dd66},
		{"fmul v26.4s, v28.4s, v17.4s", 0x6e31df9a},
		{"fdiv v2.4s, v12.4s, v9.4s", 0x6e29fd82},
		{"fdiv v16.4s, v20.4s, v28.4s", 0x6e3cfe90},
		{"fsqrt v0.4s, v13.4s", 0x6ea1f9a0},
		{"fsqrt v29.4s, v20.4s", 0x6ea1fa9d},
		{"fabs v7.4s, v9.4s", 0x4ea0f927},
		{"fabs v27.4s, v30.4s", 0x4ea0fbdb},
		{"fcmgt v14.4s, v6.4s, v11.4s", 0x6eabe4ce},
		{"fcmgt v28.4s, v30.4s, v22.4s", 0x6eb6e7dc},
		{"fcmle v6.4s, v11.4s, #0.0", 0x6ea0d966},
		{"fcmle v28.4s, v25.4s, #0.0", 0x6ea0db3c},
		{"facgt v7.4s, v14.4s, v2.4s", 0x6ea2edc7},
		{"facgt v30.4s, v21.4s, v17.4s", 0x6eb1eebe},
		{"bic v0.16b, v2.16b, v7.16b", 0x4e671c40},
		{"bic v19.16b, v20.16b, v26.16b", 0x4e7a1e93},
		{"fcvtl v6.2d, v12.2s", 0x0e617986},
		{"fcvtl v26.2d, v29.2s", 0x0e617bba},
		{"fcvtl2 v4.2d, v6.4s", 0x4e6178c4},
		{"fcvtl2 v24.2d, v29.4s", 0x4e617bb8},
		{"ldr q6, [x9, x5]", 0x3ce56926},
		{"ldr q24, [x25, x22]", 0x3cf66b38},
	} {
		kinds := 0
		for _, w := range words {
			operands, ok := w.decode(c.text)
			if !ok {
				continue
			}
			kinds++
			seen[w.name] = true
			if got, text := w.encode(t, operands); got != c.word || text != c.text {
				t.Errorf("%s(%s) is %08x %q, want %08x %q", w.name, strings.Join(operands, ", "), got, text, c.word, c.text)
			}
		}
		if kinds != 1 {
			t.Errorf("%s: %d macros", c.text, kinds)
		}
	}
	for _, w := range words {
		if !seen[w.name] {
			t.Errorf("%s: not in the table", w.name)
		}
	}
	for _, file := range wordFiles {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			if op := asmWord.FindString(code(line)); op == "WORD" || op == "DWORD" {
				t.Errorf("%s:%d: %s outside words_arm64.h", file, i+1, op)
			}
		}
	}
}

// tool finds a program. Where it is not installed the test skips, unless MGDL_REQUIRE_TOOLS
// promises it.
func tool(t *testing.T, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if slices.Contains(strings.Split(os.Getenv("MGDL_REQUIRE_TOOLS"), ","), name) {
		t.Fatalf("MGDL_REQUIRE_TOOLS promises %s: %v", name, err)
	}
	t.Skipf("%s is not installed (package %s)", name, debianPackage)
	return ""
}

// disassemble returns the text of words by GNU objdump.
func disassemble(t *testing.T, words []uint32) []string {
	t.Helper()
	objdump := tool(t, "aarch64-linux-gnu-objdump", "binutils-aarch64-linux-gnu")
	var raw []byte
	for _, w := range words {
		raw = binary.LittleEndian.AppendUint32(raw, w)
	}
	file := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-z", "-b", "binary", "-m", "aarch64", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var texts []string
	for _, line := range strings.Split(string(out), "\n") {
		f := strings.SplitN(line, "\t", 3) // address, word, text
		if len(f) < 3 || !strings.HasSuffix(f[0], ":") {
			continue
		}
		text, _, _ := strings.Cut(f[2], "//")
		texts = append(texts, strings.TrimSpace(spaces.ReplaceAllString(text, " ")))
	}
	if len(texts) != len(words) {
		t.Fatalf("%d words have %d lines", len(words), len(texts))
	}
	return texts
}

// TestWordsDisassembled goes through all values of each operand.
func TestWordsDisassembled(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 1))
	var encoded []uint32
	var texts []string
	for _, w := range readWords(t) {
		lanes := 4
		if strings.Contains(w.text, ".d[") {
			lanes = 2
		}
		random := func(param string) string {
			if param == "i" {
				return strconv.Itoa(r.IntN(lanes))
			}
			return strconv.Itoa(r.IntN(32))
		}
		for i := range w.params {
			for v := range 32 {
				operands := make([]string, len(w.params))
				for j, p := range w.params {
					operands[j] = random(p)
				}
				if w.params[i] != "i" {
					operands[i] = strconv.Itoa(v)
				}
				if strings.HasPrefix(w.text, "ldr") && slices.Contains(operands[1:], "31") {
					continue // not a register of that kind
				}
				u, text := w.encode(t, operands)
				encoded, texts = append(encoded, u), append(texts, text)
			}
		}
	}
	for i, text := range disassemble(t, encoded) {
		if text != texts[i] {
			t.Errorf("%08x is %q, want %q", encoded[i], text, texts[i])
		}
	}
}

// A macro of an .s file.
type macro struct{ params, body []string }

// expand appends the statements that line stands for; words of the header stay calls.
func expand(out []string, line string, macros map[string]macro) []string {
	name := asmWord.FindString(line)
	m, ok := macros[name]
	if !ok || !strings.HasPrefix(line, name) {
		return append(out, line)
	}
	args := arguments(strings.TrimPrefix(line, name))
	for _, s := range m.body {
		if s = replace(s, m.params, args); s != "" {
			out = expand(out, s, macros)
		}
	}
	return out
}

// arguments splits what stands in parentheses at its commas.
func arguments(s string) []string {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	var args []string
	depth, start := 0, 1
	for i, c := range s {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
		if depth == 1 && c == ',' || depth == 0 {
			args = append(args, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return args
}

// expected returns, for each line of an .s file, the text of the words it stands for.
func expected(t *testing.T, file string, words []*word) map[int][]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	macros, want := map[string]macro{}, map[int][]string{}
	lines := strings.Split(string(data), "\n")
	for i := 0; i < len(lines); i++ {
		if m := asmMacro.FindStringSubmatch(lines[i]); m != nil {
			rest := strings.TrimPrefix(lines[i], m[0])
			d := macro{params: arguments(parameters(rest))}
			d.body = append(d.body, code(strings.TrimPrefix(rest, parameters(rest))))
			for continued(lines[i]) {
				i++
				d.body = append(d.body, code(lines[i]))
			}
			macros[m[1]] = d
			continue
		}
		if lines[i] == "" || lines[i][0] != '\t' {
			continue
		}
		for _, s := range expand(nil, code(lines[i]), macros) {
			name := asmWord.FindString(s)
			for _, w := range words {
				if w.name == name {
					_, text := w.encode(t, arguments(strings.TrimPrefix(s, name)))
					want[i+1] = append(want[i+1], text)
				}
			}
		}
	}
	return want
}

// An instruction of an object: where it comes from and what it is. Addresses in asm count
// from the first instruction of the file.
type instruction struct {
	text string // the TEXT it belongs to
	line int    // of the .s file
	word uint32
	asm  string // by GNU objdump
}

// arm64Object builds the package for arm64 and returns the instructions of each .s file.
func arm64Object(t *testing.T) map[string][]instruction {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the package for arm64")
	}
	goTool := tool(t, "go", "golang")
	tool(t, "aarch64-linux-gnu-objdump", "binutils-aarch64-linux-gnu")
	dir := t.TempDir()
	run := func(in string, args ...string) string {
		t.Helper()
		cmd := exec.Command(goTool, args...)
		cmd.Dir = in
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0", "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	archive := filepath.Join(dir, "kernel.a")
	run("", "build", "-o", archive, ".")
	run(dir, "tool", "pack", "x", archive)

	begin := regexp.MustCompile(`^TEXT .*?(\w+)\(SB\)`)
	place := regexp.MustCompile(`^\s+(\w+\.s):(\d+)\s+0x[0-9a-f]+\s+([0-9a-f]{8})\s`)
	object := map[string][]instruction{}
	for _, file := range wordFiles {
		var list []instruction
		var words []uint32
		text := ""
		for _, line := range strings.Split(run(dir, "tool", "objdump", strings.TrimSuffix(file, "s")+"o"), "\n") {
			if m := begin.FindStringSubmatch(line); m != nil {
				text = m[1]
			}
			if m := place.FindStringSubmatch(line); m != nil && m[1] == file {
				n, _ := strconv.Atoi(m[2])
				word, _ := strconv.ParseUint(m[3], 16, 32)
				if word == 0 {
					continue // between functions
				}
				list = append(list, instruction{text: text, line: n, word: uint32(word)})
				words = append(words, uint32(word))
			}
		}
		for i, asm := range disassemble(t, words) {
			list[i].asm = asm
		}
		object[file] = list
	}
	return object
}

// TestWordsInObject builds the package for arm64 and reads the object: every word that a
// line stands for is there with its text, nothing is undefined, and no register that Go
// keeps for itself is touched.
func TestWordsInObject(t *testing.T) {
	words := readWords(t)
	object := arm64Object(t)
	used := map[string]bool{}
	reserved := regexp.MustCompile(`\b[wx](1[678]|2[789]|30)\b`)
	for _, file := range wordFiles {
		instructions := object[file]
		if len(instructions) < 250 {
			t.Fatalf("%s: only %d instructions", file, len(instructions))
		}
		got := map[int][]string{}
		for _, in := range instructions {
			text, line := in.asm, in.line
			at := fmt.Sprintf("%s:%d: %08x %s", file, line, in.word, text)
			if strings.Contains(text, "undefined") || strings.HasPrefix(text, ".inst") {
				t.Errorf("%s: not an instruction", at)
			}
			if reserved.MatchString(text) || strings.Contains(text, "sp") && !strings.HasPrefix(text, "ldr") {
				t.Errorf("%s: a register that Go keeps for itself", at)
			}
			for _, w := range words {
				if operands, ok := w.decode(text); ok {
					used[w.name] = true
					got[line] = append(got[line], text)
					if u, _ := w.encode(t, operands); u != in.word {
						t.Errorf("%s: %s(%s) is %08x", at, w.name, strings.Join(operands, ", "), u)
					}
				}
			}
		}
		want := expected(t, file, words)
		for n := range want {
			if !slices.Equal(got[n], want[n]) {
				t.Errorf("%s:%d: is %q, want %q", file, n, got[n], want[n])
			}
		}
		for n := range got {
			if want[n] == nil {
				t.Errorf("%s:%d: %q, of which the source says nothing", file, n, got[n])
			}
		}
	}
	for _, w := range words {
		if !used[w.name] {
			t.Errorf("%s is never used", w.name)
		}
	}
}
