package kernel

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Rules that the assembler and vet do not check, checked on the text of the .s files and
// on the syntax trees of the Go files that call into them.

// An asmText is one TEXT: its lines, and the words of the macros they use.
type asmText struct {
	file    string
	line    int
	name    string
	isa     string // the last word of the name: AVX512, AVX2 or NEON
	header  string // the TEXT line
	comment string // the comment above
	lines   []string
	words   []string // of the lines and of all macros they use
	ops     []string // mnemonics, with their suffixes
}

var (
	asmName  = regexp.MustCompile(`^TEXT ·(\w+)\(SB\)`)
	asmWord  = regexp.MustCompile(`[A-Za-z_·][\w·.]*`)
	asmOp    = regexp.MustCompile(`^[A-Z][A-Z0-9]*[A-Z0-9.]*$`)
	isaWord  = regexp.MustCompile(`(AVX512|AVX2|NEON)$`)
	asmMacro = regexp.MustCompile(`^#define\s+(\w+)`)
)

// asmTexts parses all .s files.
func asmTexts(t *testing.T) []*asmText {
	t.Helper()
	files, err := filepath.Glob("*.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("no assembly: %v", err)
	}
	var texts []*asmText
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(data), "//go:build !purego && !noasm\n") {
			t.Errorf("%s: purego and noasm do not leave it out", file)
		}
		texts = append(texts, parseAsm(t, file, strings.Split(string(data), "\n"))...)
	}
	return texts
}

func parseAsm(t *testing.T, file string, lines []string) []*asmText {
	macros := map[string][]string{} // name: statements
	var texts []*asmText
	var text *asmText
	var comment []string
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if m := asmMacro.FindStringSubmatch(line); m != nil {
			body := []string{strings.TrimPrefix(strings.TrimPrefix(line, m[0]), parameters(strings.TrimPrefix(line, m[0])))}
			for continued(lines[i]) {
				i++
				body = append(body, lines[i])
			}
			for j, s := range body {
				body[j] = code(s)
			}
			macros[m[1]] = body
			comment = nil
			continue
		}
		if strings.HasPrefix(line, "//") {
			comment = append(comment, line)
			continue
		}
		if m := asmName.FindStringSubmatch(line); m != nil {
			text = &asmText{file: file, line: i + 1, name: m[1], isa: isaWord.FindString(m[1]), header: line, comment: strings.Join(comment, "\n")}
			texts = append(texts, text)
			comment = nil
			continue
		}
		if strings.HasPrefix(line, "TEXT") {
			t.Errorf("%s:%d: TEXT of another package or with ABI", file, i+1)
		}
		if strings.TrimSpace(line) != "" {
			comment = nil
		}
		if text == nil || strings.HasPrefix(line, "DATA") || strings.HasPrefix(line, "GLOBL") || strings.HasPrefix(line, "#") {
			continue
		}
		text.lines = append(text.lines, line)
	}
	for _, text := range texts {
		for n := len(text.lines); n > 0 && code(text.lines[n-1]) == ""; n-- { // blank lines and comments behind
			text.lines = text.lines[:n-1]
		}
		for _, line := range text.lines {
			text.collect(code(line), macros)
		}
	}
	return texts
}

// parameters is the parenthesised list a macro begins with, if it has one.
func parameters(s string) string {
	if strings.HasPrefix(s, "(") {
		return s[:strings.Index(s, ")")+1]
	}
	return ""
}

func continued(line string) bool {
	line, _, _ = strings.Cut(line, "//")
	return strings.HasSuffix(strings.TrimSpace(line), `\`)
}

// code is a line without comment, continuation and label.
func code(line string) string {
	line, _, _ = strings.Cut(line, "//")
	line = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), `\`))
	if label, rest, ok := strings.Cut(line, ":"); ok && !strings.ContainsAny(label, " (") {
		line = strings.TrimSpace(rest)
	}
	return line
}

func (x *asmText) collect(line string, macros map[string][]string) {
	words := asmWord.FindAllString(line, -1)
	x.words = append(x.words, words...)
	if len(words) == 0 {
		return
	}
	if body, ok := macros[words[0]]; ok {
		for _, s := range body {
			x.collect(s, macros)
		}
		return
	}
	if strings.HasPrefix(line, words[0]) && asmOp.MatchString(words[0]) {
		x.ops = append(x.ops, words[0])
	}
}

func (x *asmText) at() string { return fmt.Sprintf("%s:%d: %s", x.file, x.line, x.name) }

// Registers that only AVX-512 has, and instructions that exist only in its encoding (the
// list names what the assembler would accept with X and Y registers).
var (
	evexRegister = regexp.MustCompile(`^(Z\d+|K[0-7]|[XY](1[6-9]|2\d|3[01]))$`)
	evexOp       = regexp.MustCompile(`\.|^(K(MOV|AND|OR|XOR|NOT|ORTEST|TEST|SHIFT|UNPCK|ADD|XNOR).*` +
		`|VP?(AND|ANDN|OR|XOR)[DQ]|VMOVDQ[AU](8|16|32|64)|VTERNLOG.*|VPTERNLOG[DQ]` +
		`|V\w*(32X2|32X4|32X8|64X2|64X4)|VALIGN[DQ]|VP?BLENDM.*|VPTESTN?M.*|VPCMPU?[BWDQ]|VPERM[IT]2.*|VPERM[BW]` +
		`|VP?COMPRESS.*|VP?EXPAND.*|VPCONFLICT.*|VPLZCNT.*|VPOPCNT.*|VRCP14.*|VRSQRT14.*|VRNDSCALE.*|VSCALEF.*|VGETEXP.*|VGETMANT.*` +
		`|VFIXUPIMM.*|VRANGE.*|VREDUCE.*|VFPCLASS.*|VPABSQ|VPM(AX|IN)[SU]Q|VPMULLQ|VPSRAQ|VPROL?R?V?[DQ]|VPROLV?[DQ]|VPRORV?[DQ]|VPSLLVW|VPSRLVW|VPSRAVW` +
		`|VPMOV(S|US)?(QD|QW|QB|DW|DB|WB)|VPMOV[BWDQ]2M|VPMOVM2[BWDQ]|VPBROADCASTM.*|VCVT\w*U(DQ|QQ|SI)\w*|VCVTT?P[SD]2QQ|VCVTQQ2P[SD].*|VCVTUDQ2P[SD]|VDBPSADBW)$`)
	// Instructions of neither AVX2 with FMA nor AVX-512 F, BW, DQ, VL: no feature the
	// choice looks at promises them.
	foreignOp = regexp.MustCompile(`^(ANDN[LQ]|BEXTR[LQ]|BZHI[LQ]|BLS(I|R|MSK)[LQ]|PDEP[LQ]|PEXT[LQ]|RORX[LQ]|SARX[LQ]|SHLX[LQ]|SHRX[LQ]|MULX[LQ]|AD[CO]X[LQ]` +
		`|LZCNT[LQ]|TZCNT[LQ]|POPCNT[LQW]|VCVTPH2PS.*|VCVTPS2PH.*|VPDP.*|VCVTNE.*|VDPBF16.*|VPMADD52.*|VPERM[IT]?2?B|VPMULTISHIFTQB|VPOPCNT.*|VPSH[LR]D.*` +
		`|VPSHUFBITQMB|VPCOMPRESS[BW]|VPEXPAND[BW]|VPCONFLICT.*|VPLZCNT.*|VPBROADCASTM.*|VGF2P8.*|VAES.*|VPCLMUL.*|VEXP2.*|VRCP28.*|VRSQRT28.*|V4F.*|VP4.*|VGATHERPF.*|VSCATTERPF.*` +
		`|VRCPPS|VRSQRTPS|VRCPSS|VRSQRTSS|PREFETCHW.*|XGETBV|CPUID|RDTSC.*)$`)
	nosplit  = regexp.MustCompile(`NOSPLIT, \$(\d+)-`)
	reserved = regexp.MustCompile(`^(R14|R15|BP|BPB|SP|SPB|R14[BWD]|R15[BWD])$`)
)

// TestAssemblyText checks what each TEXT says.
func TestAssemblyText(t *testing.T) {
	seen := map[string]bool{}
	for _, x := range asmTexts(t) {
		if seen[x.name] {
			t.Errorf("%s: defined twice", x.at())
		}
		seen[x.name] = true
		if n := len(x.lines) + 1; n > 120 {
			t.Errorf("%s: %d lines, at most 120", x.at(), n)
		}
		frame := nosplit.FindStringSubmatch(x.header)
		if frame == nil || len(frame[1]) > 3 {
			t.Errorf("%s: not NOSPLIT with a small frame", x.at())
			continue
		}
		for _, w := range x.words {
			if w == "SP" && frame[1] != "0" {
				continue // a named place in the frame
			}
			if reserved.MatchString(w) {
				t.Errorf("%s: uses %s", x.at(), w)
			}
		}
		for _, op := range x.ops {
			if base, _, _ := strings.Cut(op, "."); foreignOp.MatchString(base) || strings.HasPrefix(op, "CALL") {
				t.Errorf("%s: uses %s", x.at(), op)
			}
		}
		var evex []string
		for _, w := range x.words {
			if evexRegister.MatchString(w) {
				evex = append(evex, w)
			}
		}
		for _, op := range x.ops {
			if evexOp.MatchString(op) {
				evex = append(evex, op)
			}
		}
		switch x.isa {
		case "AVX2":
			if len(evex) > 0 {
				t.Errorf("%s: needs AVX-512: %v", x.at(), evex)
			}
		case "AVX512":
			if len(evex) == 0 {
				t.Errorf("%s: needs no AVX-512", x.at())
			}
		case "NEON": // its registers and words are checked on the object, see TestWordsInObject
		default:
			t.Errorf("%s: its name does not end with the instruction set", x.at())
		}
	}
}

// TestAssemblyReturns: where a TEXT touches the upper halves of registers, every RET
// follows a VZEROUPPER, and the last line is a RET.
func TestAssemblyReturns(t *testing.T) {
	wide := regexp.MustCompile(`^[YZ]\d+$`)
	for _, x := range asmTexts(t) {
		touches := slices.ContainsFunc(x.words, wide.MatchString)
		before, last := "", ""
		for i, line := range x.lines {
			line = code(line)
			if line == "" {
				continue
			}
			if strings.HasPrefix(line, "RET") && touches && before != "VZEROUPPER" {
				t.Errorf("%s: RET in line %d does not follow VZEROUPPER", x.at(), x.line+i+1)
			}
			if strings.HasPrefix(line, "JMP") && strings.Contains(line, "(SB)") {
				t.Errorf("%s: leaves by %s", x.at(), line)
			}
			before, last = line, line
		}
		if last != "RET" {
			t.Errorf("%s: ends with %q", x.at(), last)
		}
	}
}

// TestAssemblyMacrosEnd: jumps within a macro count instructions, so that an instruction
// inserted into it, or a macro used within it, breaks them.
func TestAssemblyMacrosEnd(t *testing.T) {
	files, _ := filepath.Glob("*.s")
	jump := regexp.MustCompile(`^J\w+\s+(\d+)\(PC\)$`)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(data), "\n")
		macros := map[string]bool{}
		for _, line := range lines {
			if m := asmMacro.FindStringSubmatch(line); m != nil {
				macros[m[1]] = true
			}
		}
		for i, line := range lines {
			m := jump.FindStringSubmatch(code(line))
			if m == nil {
				continue
			}
			var n int
			if _, err := fmt.Sscan(m[1], &n); err != nil {
				t.Fatal(err)
			}
			// The target may be the first instruction behind the macro, not a later one.
			for j := 1; j <= n; j++ {
				at := i + j
				if j == n && !continued(lines[at-1]) {
					break
				}
				if j < n && !continued(lines[at-1]) {
					t.Errorf("%s:%d: jumps out of its macro", file, i+1)
					break
				}
				if word := asmWord.FindString(code(lines[at])); j < n && macros[word] {
					t.Errorf("%s:%d: jumps over macro %s, which is more than one instruction", file, i+1, word)
				}
			}
		}
	}
}

// TestAssemblyDeclarations: every TEXT has a Go declaration marked noescape, which its
// comment repeats, and no declaration lacks its TEXT.
func TestAssemblyDeclarations(t *testing.T) {
	fset, files := sources(t)
	declared := map[string]string{} // name: the declaration as the source has it
	for _, f := range files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body != nil {
				continue
			}
			marked := false
			if fn.Doc != nil {
				for _, c := range fn.Doc.List {
					marked = marked || c.Text == "//go:noescape"
				}
			}
			if !marked {
				t.Errorf("%v: %s is not marked //go:noescape", fset.Position(fn.Pos()), fn.Name.Name)
			}
			p := fset.Position(fn.Pos())
			data, err := os.ReadFile(p.Filename)
			if err != nil {
				t.Fatal(err)
			}
			declared[fn.Name.Name] = string(data[p.Offset:fset.Position(fn.End()).Offset])
		}
	}
	for _, x := range asmTexts(t) {
		d, ok := declared[x.name]
		if !ok {
			t.Errorf("%s: no Go declaration", x.at())
			continue
		}
		delete(declared, x.name)
		if !slices.Contains(strings.Split(x.comment, "\n"), "// "+d) {
			t.Errorf("%s: the comment above does not have the line\n// %s", x.at(), d)
		}
	}
	for name := range declared {
		t.Errorf("%s: declared without a TEXT", name)
	}
}

// everyISA are the values that a variable of type isa can have.
var everyISA = []string{"unset", "generic", "neon", "avx2", "avx512"}

// TestAssemblyDispatch: a function whose name ends with an instruction set is called only
// where the CPU has it: in an arm of a switch or behind a condition that leaves no other
// implementation, or in a function with the same ending.
func TestAssemblyDispatch(t *testing.T) {
	fset, files := sources(t)
	d := dispatch{functions: map[string]*ast.FuncDecl{}}
	for _, f := range files {
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				d.functions[fn.Name.Name] = fn
			}
		}
	}
	calls := map[string]int{}
	for _, f := range files {
		var path []ast.Node
		ast.Inspect(f, func(n ast.Node) bool {
			if n == nil {
				path = path[:len(path)-1]
				return true
			}
			path = append(path, n)
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			suffix := isaWord.FindString(id.Name)
			if _, function := d.functions[id.Name]; !function || suffix == "" {
				return true
			}
			parent := path[len(path)-2]
			if fn, ok := parent.(*ast.FuncDecl); ok && fn.Name == id {
				return true
			}
			if call, ok := parent.(*ast.CallExpr); !ok || call.Fun != id {
				t.Errorf("%v: %s is used as a value", fset.Position(id.Pos()), id.Name)
				return true
			}
			calls[id.Name]++
			may := []string{strings.ToLower(suffix)}
			if suffix == "AVX2" {
				may = append(may, "avx512") // every CPU with AVX-512 has AVX2 and FMA
			}
			if got := d.possible(path); len(got) == 0 || len(without(got, may...)) > 0 {
				t.Errorf("%v: %s is called where the implementation may be one of %v", fset.Position(id.Pos()), id.Name, got)
			}
			return true
		})
	}
	for _, x := range asmTexts(t) {
		if calls[x.name] == 0 {
			t.Errorf("%s: is never called", x.at())
		}
	}
}

type dispatch struct{ functions map[string]*ast.FuncDecl }

// possible narrows the implementations by all that encloses the last node of path.
func (d dispatch) possible(path []ast.Node) []string {
	set := everyISA
	for i, n := range path[:len(path)-1] {
		child := path[i+1]
		switch n := n.(type) {
		case *ast.FuncDecl:
			if s := isaWord.FindString(n.Name.Name); s != "" {
				set = only(set, strings.ToLower(s))
			}
		case *ast.IfStmt:
			switch child {
			case n.Body:
				set = d.narrow(set, n.Cond, true, path[:i])
			case n.Else:
				set = d.narrow(set, n.Cond, false, path[:i])
			}
		case *ast.CaseClause:
			var names []string
			for _, e := range n.List {
				if id, ok := e.(*ast.Ident); ok && slices.Contains(everyISA, id.Name) {
					names = append(names, id.Name)
				}
			}
			if len(names) > 0 && len(names) == len(n.List) {
				set = only(set, names...)
			}
			if s, ok := path[i-2].(*ast.SwitchStmt); ok && s.Tag == nil {
				for _, clause := range s.Body.List {
					c := clause.(*ast.CaseClause)
					if len(c.List) == 1 {
						set = d.narrow(set, c.List[0], c == n, path[:i])
					}
					if c == n {
						break
					}
				}
			}
			set = d.narrowByReturns(set, n.Body, child, path[:i+1])
		case *ast.BlockStmt:
			set = d.narrowByReturns(set, n.List, child, path[:i+1])
		}
	}
	return set
}

// narrowByReturns takes away what an if before child returns for.
func (d dispatch) narrowByReturns(set []string, list []ast.Stmt, child ast.Node, path []ast.Node) []string {
	for _, s := range list {
		if s == child {
			break
		}
		if x, ok := s.(*ast.IfStmt); ok && x.Else == nil && len(x.Body.List) > 0 {
			if _, returns := x.Body.List[len(x.Body.List)-1].(*ast.ReturnStmt); returns {
				set = d.narrow(set, x.Cond, false, path)
			}
		}
	}
	return set
}

// narrow returns what of set is left where cond is value.
func (d dispatch) narrow(set []string, cond ast.Expr, value bool, path []ast.Node) []string {
	switch c := cond.(type) {
	case *ast.ParenExpr:
		return d.narrow(set, c.X, value, path)
	case *ast.UnaryExpr:
		if c.Op == token.NOT {
			return d.narrow(set, c.X, !value, path)
		}
	case *ast.BinaryExpr:
		name := ""
		if id, ok := c.Y.(*ast.Ident); ok && slices.Contains(everyISA, id.Name) {
			name = id.Name
		}
		switch {
		case c.Op == token.EQL && name != "" && value, c.Op == token.NEQ && name != "" && !value:
			return only(set, name)
		case c.Op == token.EQL && name != "", c.Op == token.NEQ && name != "":
			return without(set, name)
		case c.Op == token.LAND && value, c.Op == token.LOR && !value:
			return d.narrow(d.narrow(set, c.X, value, path), c.Y, value, path)
		case c.Op == token.LAND, c.Op == token.LOR:
			return only(set, append(d.narrow(set, c.X, value, path), d.narrow(set, c.Y, value, path)...)...)
		case c.Op == token.GTR && value: // n > 0, n from a function that returns 0 for others
			return d.narrowByCall(set, c, path)
		}
	}
	return set
}

// narrowByCall handles n > 0 where n := f(i, …) and f begins with if … { return 0 }.
func (d dispatch) narrowByCall(set []string, c *ast.BinaryExpr, path []ast.Node) []string {
	n, ok := c.X.(*ast.Ident)
	if zero, isZero := c.Y.(*ast.BasicLit); !ok || !isZero || zero.Value != "0" {
		return set
	}
	for _, outer := range path {
		block, ok := outer.(*ast.BlockStmt)
		if !ok {
			continue
		}
		for _, s := range block.List {
			a, ok := s.(*ast.AssignStmt)
			if !ok || len(a.Lhs) != 1 {
				continue
			}
			call, isCall := a.Rhs[0].(*ast.CallExpr)
			if id, ok := a.Lhs[0].(*ast.Ident); !ok || id.Name != n.Name || !isCall {
				continue
			}
			fn, ok := call.Fun.(*ast.Ident)
			if !ok || d.functions[fn.Name] == nil {
				continue
			}
			first, ok := d.functions[fn.Name].Body.List[0].(*ast.IfStmt)
			if !ok {
				continue
			}
			if r, ok := first.Body.List[0].(*ast.ReturnStmt); ok {
				if zero, ok := r.Results[0].(*ast.BasicLit); ok && zero.Value == "0" {
					set = d.narrow(set, first.Cond, false, nil)
				}
			}
		}
	}
	return set
}

func only(set []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(set), func(s string) bool { return !slices.Contains(names, s) })
}

func without(set []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(set), func(s string) bool { return slices.Contains(names, s) })
}
