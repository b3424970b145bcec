package main

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/multigrade/multigrade/mgdl"
)

// TestBadData gives train tables that cannot be read: one clear line, or five and a
// count, exit code 3, and no file.
func TestBadData(t *testing.T) {
	good := houses(120)
	many := strings.Builder{} // a category of more than 1,000 levels
	many.WriteString("name,y\n")
	for i := range 1200 {
		many.WriteString("n" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + ",1\n")
	}
	replace := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	for _, c := range []struct {
		name, file, content string
		args                string
		want                []string
	}{
		{"wrong number", "houses.csv", replace("40,1,", `"12,5o",1,`), "", []string{`houses.csv:2: column "area" (1): "12,5o" is not a number`}},
		{"no such target", "houses.csv", good, "--target prices", []string{`"prices"`, `"price"`}},
		{"constant target", "houses.csv", "a,b\n" + strings.Repeat("1,2\n3,2\n", 60), "", []string{"houses.csv", `"b"`}},
		{"duplicate header", "houses.csv", replace("rooms", "area"), "", []string{"houses.csv:1", "columns 1 and 2", `"area"`}},
		{"ragged row", "houses.csv", replace("\n40,1,Ulm", "\n40,1"), "", []string{"houses.csv:2", "3 fields"}},
		{"empty file", "houses.csv", "", "", []string{"houses.csv", "empty"}},
		{"header only", "houses.csv", "a,b,c\n", "", []string{"houses.csv", "no rows"}},
		{"semicolons", "houses.csv", strings.ReplaceAll(good, ",", ";"), "", []string{"houses.csv", "--sep ';'"}},
		{"infinite", "houses.csv", replace("40,1,", "inf,1,"), "", []string{`houses.csv:2: column "area" (1)`, "not a finite number"}},
		{"missing target", "houses.csv", replace("Ulm,105000", "Ulm,"), "", []string{`houses.csv:2: column "price" (4): the target is missing`}},
		{"column without values", "houses.csv", "a,b,y\n" + strings.Repeat("1,,2\n3,,4\n", 60), "", []string{"houses.csv", `"b"`}},
		{"too many levels", "houses.csv", many.String(), "", []string{"houses.csv", `"name"`, "1,000"}},
		{"binary", "houses.csv", "\x89PNG\r\n\x1a\n\x00\x00", "", []string{"houses.csv", "PNG"}},
		{"utf-16", "houses.csv", "\xff\xfea\x00,\x00b\x00\n\x00", "", []string{"houses.csv", "UTF-16"}},
		{"csv as npy", "x.npy", good, "", []string{"x.npy: is not a NumPy array"}},
		{"csv as npz", "x.npz", good, "", []string{"x.npz: is not an archive of NumPy arrays"}},
		{"csv as png", "x.png", good, "", []string{"x.png: is no PNG, JPEG, GIF or TIFF picture"}},
		{"parquet", "x.parquet", good, "", []string{".npy", "not .parquet"}},
		{"no extension", "table", good, "", []string{"- < table"}},
		{"no file", "", "", "", []string{"houses.csv: no such file"}},
		{"bad validation rows", "houses.csv", good, "--val-data no.csv", []string{"no.csv: no such file"}},
		{"unknown demo", "demo:none", "", "", []string{"demo:none: no such table (there are chirp, diabetes, iris)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			name := c.file
			if name == "" {
				name = "houses.csv"
			} else if !strings.HasPrefix(name, demoPrefix) {
				write(t, dir, name, c.content)
			}
			before := listing(t, dir)
			r := command(t, "", append([]string{"train", name, "-o", "m.safetensors"}, strings.Fields(c.args)...)...)
			if r.code != exitData {
				t.Errorf("exit code %d, want %d", r.code, exitData)
			}
			if n := strings.Count(r.stderr, "\n"); n != 1 || !strings.HasPrefix(r.stderr, "mgdl: ") {
				t.Errorf("want one line that begins with mgdl:, got %q", r.stderr)
			}
			for _, w := range c.want {
				if !strings.Contains(r.stderr, w) {
					t.Errorf("%q does not contain %q", r.stderr, w)
				}
			}
			if after := listing(t, dir); !slices.Equal(after, before) {
				t.Errorf("files %v, before %v", after, before)
			}
		})
	}
}

// TestManyFaults checks that five faults are shown and the others counted.
func TestManyFaults(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	table := strings.Split(houses(400), "\n")
	for i := 10; i < 20; i++ {
		table[i] = "12x" + table[i][strings.IndexByte(table[i], ','):]
	}
	write(t, dir, "houses.csv", strings.Join(table, "\n"))
	r := command(t, "", "train", "houses.csv")
	if r.code != exitData || strings.Count(r.stderr, `column "area" (1): "12x" is not a number`) != 5 || !strings.Contains(r.stderr, "mgdl: and 5 more\n") {
		t.Errorf("exit code %d, %q, want 5 faults and the count of 5 more", r.code, r.stderr)
	}
	for line := range strings.Lines(r.stderr) {
		if !strings.HasPrefix(line, "mgdl: ") {
			t.Errorf("line %q does not begin with mgdl:", line)
		}
	}
	if files := listing(t, dir); len(files) != 1 {
		t.Errorf("files %v", files)
	}
}

// TestOddTables trains on tables that are unusual and fine.
func TestOddTables(t *testing.T) {
	plain := houses(120)
	want := read(t, quickModel(t, write(t, t.TempDir(), "houses.csv", plain)))
	for name, c := range map[string]struct{ file, content, args string }{
		"byte order mark": {"a.csv", "\xef\xbb\xbf" + plain, ""},
		"CRLF":            {"a.csv", strings.ReplaceAll(plain, "\n", "\r\n"), ""},
		"semicolons":      {"a.csv", strings.ReplaceAll(plain, ",", ";"), "--sep ;"},
		"tabs":            {"a.tsv", strings.ReplaceAll(plain, ",", "\t"), ""},
	} {
		path := write(t, t.TempDir(), c.file, c.content)
		m := readTestModel(t, quickModel(t, path, strings.Fields(c.args)...))
		m = m.WithMeta("data_sha256", readTestModel(t, quickModel(t, write(t, t.TempDir(), "h.csv", plain))).Meta("data_sha256"))
		var got strings.Builder
		if _, err := m.WriteTo(&got); err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s: another model than from the plain table", name)
		}
	}
}

// TestColumnFlags leaves a column out and reads another one as a category.
func TestColumnFlags(t *testing.T) {
	model := quickModel(t, write(t, t.TempDir(), "houses.csv", houses(120)), "--drop", "city", "--category", "rooms")
	features := readTestModel(t, model).Schema().Features
	if len(features) != 2 || features[0].Name != "area" || features[1].Kind != mgdl.Category {
		t.Errorf("features %+v", features)
	}
}

// TestBadModels gives every command that reads a model files that are none: exit code
// 4, one clear line, and no file.
func TestBadModels(t *testing.T) {
	good := read(t, quickModel(t, "demo:iris"))
	header := 8 + int(binary.LittleEndian.Uint64(good))
	flipped := slices.Clone(good)
	flipped[len(flipped)-5] ^= 1
	newer := strings.Replace(string(good), `"format_version":"1"`, `"format_version":"9"`, 1)
	for _, c := range []struct {
		name, content string
		want          string
	}{
		{"empty", "", "empty"},
		{"header cut", string(good[:header/2]), "truncated"},
		{"tensors cut", string(good[:header+8]), "truncated"},
		{"one byte cut", string(good[:len(good)-1]), "truncated"},
		{"flipped bit", string(flipped), "checksum"},
		{"too long", string(good) + "x", "after the last tensor"},
		{"newer", newer, "newer"},
		{"onnx", "\x08\x08\x12\x07pytorch\x1a\x051.9.0:\x80\x01", "ONNX"},
		{"table", houses(20), "not a model"},
		{"huge claim", "\xff\xff\xff\xff\xff\xff\xff\x7f{}", "not a model"},
		{"no file", "-", "no such file"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "m.safetensors")
		if c.content != "-" {
			write(t, dir, "m.safetensors", c.content)
		}
		for _, args := range []string{"verify M", "inspect M", "predict M demo:iris", "predict M demo:iris -o D/out.csv", "eval M demo:iris", "report M demo:iris -o D/r.html", "train --resume M -o D/x"} {
			words := strings.Fields(args)
			for i, w := range words {
				words[i] = strings.Replace(strings.Replace(w, "M", path, 1), "D/", dir+"/", 1)
			}
			before := listing(t, dir)
			r := command(t, "", words...)
			if r.code != exitModel || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 ||
				!strings.HasPrefix(r.stderr, "mgdl: "+path+": ") || !strings.Contains(r.stderr, c.want) {
				t.Errorf("%s: mgdl %s: exit code %d, %q, want %d, %q", c.name, args, r.code, r.stderr, exitModel, c.want)
			}
			if after := listing(t, dir); !slices.Equal(after, before) {
				t.Errorf("%s: mgdl %s: files %v, before %v", c.name, args, after, before)
			}
		}
	}
}

// TestOtherTable gives a model a table that lacks what it needs.
func TestOtherTable(t *testing.T) {
	dir := t.TempDir()
	model := quickModel(t, write(t, dir, "houses.csv", houses(120)))
	for name, table := range map[string]string{
		"area":  "rooms,city\n1,Ulm\n",
		"price": "area,rooms,city\n50,1,Ulm\n",
	} {
		path := write(t, dir, "other.csv", table)
		r := command(t, "", "eval", model, path)
		if r.code != exitData || !strings.Contains(r.stderr, `no column named "`+name+`"`) {
			t.Errorf("exit code %d, %q, want %d and the column %s", r.code, r.stderr, exitData, name)
		}
	}
	if r := command(t, "area,rooms,city\n50,1,Ulm\nwide,1,Ulm\n", "predict", model, "-"); r.code != exitData ||
		!strings.Contains(r.stderr, `mgdl: stdin:3: column "area" (1): "wide" is not a number`) || strings.Count(r.stdout, "\n") != 2 {
		t.Errorf("exit code %d, stdout %q, stderr %q; want the answer to the first row and the fault of the second", r.code, r.stdout, r.stderr)
	}
}

// TestDemoTables checks the tables that come along, and that chirp.csv is what its
// generator makes.
func TestDemoTables(t *testing.T) {
	for _, name := range demoNames() {
		quickModel(t, demoPrefix+name)
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to run the generator of chirp.csv with")
	}
	cmd := exec.Command("go", "run", "generate.go")
	cmd.Dir = "demodata"
	cmd.Stderr = os.Stderr
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := read(t, "demodata/chirp.csv"); string(got) != string(want) {
		t.Errorf("demodata/chirp.csv is not what demodata/generate.go writes")
	}
}
