package report

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/multigrade/multigrade/mgdl"
)

// A table is what tests report on: columns, and a rule that makes rows.
type rows struct {
	schema mgdl.Schema
	n      int
	row    func(r *rand.Rand, i int) (x, y []float64)
}

func (t rows) data() mgdl.Data {
	d := mgdl.Data{Schema: t.schema, Rows: t.n}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range t.n {
		x, y := t.row(r, i)
		d.X, d.Y = append(d.X, x...), append(d.Y, y...)
	}
	return d
}

func numbers(names ...string) []mgdl.Column {
	var c []mgdl.Column
	for _, n := range names {
		c = append(c, mgdl.Column{Name: n})
	}
	return c
}

func classes(name string, n int) []mgdl.Column {
	c := mgdl.Column{Name: name, Kind: mgdl.Category}
	for i := range n {
		c.Levels = append(c.Levels, fmt.Sprintf("class %02d", i))
	}
	return []mgdl.Column{c}
}

// train makes a small model in little time.
func train(t *testing.T, d mgdl.Data, grades int) *mgdl.Model {
	t.Helper()
	m, err := mgdl.Train(context.Background(), d, mgdl.Config{Grades: grades, Hidden: []int{8}, Chains: 2, Epochs: 4, Batch: 32, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fixed stands in for the clock.
func fixed(s *subject) []float64 {
	ns := make([]float64, len(s.steps))
	for k := range ns {
		ns[k] = 150 * float64(k*k)
	}
	return ns
}

func report(t *testing.T, m *mgdl.Model, d mgdl.Data, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, m, d, o, fixed); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	dataURI   = regexp.MustCompile(`data:image/png;base64,[A-Za-z0-9+/=]*`)
	fixedHues = regexp.MustCompile(`<(path|text)[^>]*(fill|stroke):#`)
	notNumber = regexp.MustCompile(`\b(NaN|[+-]?Inf|nil|%!)`)
)

// check holds what every report must be: well-formed, self-contained, without scripts,
// repeated ids and numbers that are none, of a size that can be mailed. It returns the
// ids of the sections and the text.
func check(t *testing.T, doc string) (ids []string, words string) {
	t.Helper()
	if len(doc) > 1500000 {
		t.Errorf("%d bytes", len(doc))
	}
	plain := dataURI.ReplaceAllString(doc, "")
	for _, banned := range []string{"http", "//", "url(", "@import", "xlink", "xmlns", "font-family:Liberation"} {
		if i := strings.Index(plain, banned); i >= 0 {
			t.Errorf("%q in %q", banned, plain[max(0, i-60):min(len(plain), i+60)])
		}
	}
	if m := fixedHues.FindString(plain); m != "" {
		t.Errorf("a colour that does not follow the theme: %q", m)
	}
	seen := map[string]bool{}
	var b strings.Builder
	dec := xml.NewDecoder(strings.NewReader(doc))
	style := false
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			style = e.Name.Local == "style"
			switch e.Name.Local {
			case "script", "link", "iframe", "object", "embed", "img", "a", "form", "base", "foreignObject":
				t.Errorf("element %s", e.Name.Local)
			}
			for _, a := range e.Attr {
				switch name := strings.ToLower(a.Name.Local); {
				case strings.HasPrefix(name, "on"), name == "src", name == "href" && !strings.HasPrefix(a.Value, "data:image/png;base64,"):
					t.Errorf("attribute %s of %s", name, e.Name.Local)
				case name == "id":
					if seen[a.Value] {
						t.Errorf("id %q twice", a.Value)
					}
					seen[a.Value] = true
					if e.Name.Local == "section" {
						ids = append(ids, a.Value)
					}
				case name != "href" && notNumber.MatchString(a.Value):
					t.Errorf("attribute %s of %s is %q", name, e.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			if !style {
				b.Write(e)
				b.WriteByte('\n')
			}
		}
	}
	words = b.String()
	if m := notNumber.FindStringIndex(words); m != nil {
		t.Errorf("%q is shown", words[max(0, m[0]-60):min(len(words), m[1]+60)])
	}
	return ids, words
}

func wave(r *rand.Rand, i int) (x, y []float64) {
	v := 6 * r.Float64()
	return []float64{v}, []float64{math.Sin(v) + v/4 + 0.05*r.NormFloat64()}
}

var kinds = []struct {
	name     string
	rows     rows
	options  Options
	grades   int
	sections string
	words    []string
	then     func(x, y []float64) // changes each row once the model is trained
}{
	{"one input", rows{mgdl.Schema{Features: numbers("time"), Targets: numbers("signal")}, 300, wave}, Options{DataName: "wave.csv"}, 2,
		"grades shape curves target-1", []string{"signal from wave.csv", "of the variance of signal", "RMSE", "Worst rows", "time"}, nil},
	{"two inputs", rows{mgdl.Schema{Features: numbers("a", "b"), Targets: numbers("z")}, 400, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{float64(i % 20), float64(i / 20)}, []float64{math.Hypot(float64(i%20)-8, float64(i/20)-12)}
	}}, Options{}, 2,
		"grades shape curves target-1 importance", []string{"Predicting z", "Across: a; upwards: b", "full colour at"}, nil},
	{"image", rows{mgdl.Schema{Features: numbers("row", "column"), Targets: numbers("intensity")}, 24 * 32, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{float64(i / 32), float64(i % 32)}, []float64{float64((i/32)*(i%32)) / 768}
	}}, Options{DataName: "photo.PNG"}, 1,
		"grades shape curves target-1 importance", []string{"The picture", "32 × 24"}, nil},
	{"two classes", rows{mgdl.Schema{Task: mgdl.Classification, Features: numbers("x", "y", "noise"), Targets: classes("kind", 2)}, 250, func(r *rand.Rand, i int) (x, y []float64) {
		x = []float64{r.NormFloat64() + 2*float64(i%2), r.NormFloat64(), r.NormFloat64()}
		return x, []float64{float64(i % 2)}
	}}, Options{}, 2,
		"grades curves confusion mistakes importance", []string{"Gets", "2 classes of kind", "predicted probability of class 01", "Confusion matrix"}, nil},
	{"two classes, one input", rows{mgdl.Schema{Task: mgdl.Classification, Features: numbers("x"), Targets: classes("kind", 2)}, 100, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{r.NormFloat64() + 2*float64(i%2)}, []float64{float64(i % 2)}
	}}, Options{}, 1,
		"grades shape curves confusion mistakes", []string{"probability of each class over x"}, nil},
	{"three classes, two inputs", rows{mgdl.Schema{Task: mgdl.Classification, Features: numbers("x", "y"), Targets: classes("kind", 3)}, 150, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{r.NormFloat64() + 4*float64(i%3), r.NormFloat64()}, []float64{float64(i % 3)}
	}}, Options{}, 1,
		"grades shape curves confusion mistakes importance", []string{"mixed by their probabilities"}, nil},
	{"26 classes", rows{mgdl.Schema{Task: mgdl.Classification, Features: numbers("x", "y", "z"), Targets: classes("letter", 26)}, 520, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{float64(i%26) + r.NormFloat64(), float64(i % 5), r.NormFloat64()}, []float64{float64(i % 26)}
	}}, Options{}, 1,
		"grades curves confusion mistakes importance", []string{"26 classes", "class 25", "Most often confused", "Calibration"}, nil},
	{"60 classes", rows{mgdl.Schema{Task: mgdl.Classification, Features: numbers("x", "y"), Targets: classes("word", 60)}, 300, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{float64(i % 60), r.NormFloat64()}, []float64{float64(i % 60)}
	}}, Options{}, 1,
		"grades curves confusion mistakes importance", []string{"The 40 commonest of 60 classes"}, nil},
	{"six targets", rows{mgdl.Schema{Features: numbers("a", "b", "c"), Targets: numbers("t1", "t2", "t3", "t4", "t5", "t6")}, 200, func(r *rand.Rand, i int) (x, y []float64) {
		a, b := r.NormFloat64(), r.NormFloat64()
		return []float64{a, b, 1}, []float64{a, b, a * b, a + b, 1e6 * a, 1e-6 * b}
	}}, Options{}, 1,
		"grades curves targets target-1 target-2 target-3 target-4 importance", []string{"6 targets", "taken together", "t1, t2 and 4 more"}, nil},
	{"categories and holes", rows{mgdl.Schema{Features: append(classes("colour", 3), numbers("size", "constant", "empty")...), Targets: numbers("price")}, 120, func(r *rand.Rand, i int) (x, y []float64) {
		size := r.Float64()
		x = []float64{float64(i % 3), size, 7, float64(i)}
		if i%7 == 0 {
			x[0], x[1] = -1, math.NaN()
		}
		return x, []float64{100000 * (size + float64(i%3))}
	}}, Options{}, 1,
		"grades curves target-1 importance", []string{"missing", "unknown", "3 numbers, 1 category"},
		func(x, y []float64) { x[3] = math.NaN() }},
	{"two rows", rows{mgdl.Schema{Features: numbers("x", "y"), Targets: numbers("z")}, 2, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{float64(i), 1}, []float64{float64(i)}
	}}, Options{}, 1, "", nil, nil},
	{"constant target", rows{mgdl.Schema{Features: numbers("x"), Targets: numbers("z")}, 50, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{float64(i)}, []float64{float64(i)}
	}}, Options{}, 1, "", nil, func(x, y []float64) { y[0] = 5 }},
	{"constant input", rows{mgdl.Schema{Features: numbers("x"), Targets: numbers("z")}, 50, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{float64(i)}, []float64{float64(i)}
	}}, Options{}, 1, "", nil, func(x, y []float64) { x[0] = 5 }},
	{"far from 1", rows{mgdl.Schema{Features: numbers("x"), Targets: numbers("z")}, 60, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{1e200 * float64(i)}, []float64{1e150 * float64(i*i)}
	}}, Options{}, 1, "", nil, nil},
	{"ends of the range", rows{mgdl.Schema{Features: numbers("x", "y"), Targets: numbers("z")}, 60, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{float64(i), float64(i % 7)}, []float64{float64(i)}
	}}, Options{}, 1, "", nil, func(x, y []float64) { x[0] = math.Copysign(math.MaxFloat64, x[0]-30); y[0] = 1e307 * x[1] }},
	{"close to 0", rows{mgdl.Schema{Features: numbers("x"), Targets: numbers("z")}, 60, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{1e-30 * float64(i)}, []float64{1e-40 * float64(i*i)}
	}}, Options{}, 1, "", nil, nil},
	{"image in colours", rows{mgdl.Schema{Features: numbers("x", "y"), Targets: numbers("r", "g", "b")}, 24 * 32, func(r *rand.Rand, i int) (x, y []float64) {
		a, b := (float64(i%32)+0.5)/32, (float64(i/32)+0.5)/24
		return []float64{a, b}, []float64{a, b, a * b}
	}}, Options{DataName: "photo.png"}, 1,
		"grades shape curves targets target-1 target-2 target-3 importance", []string{"The picture, grade by grade", "32 × 24 pixels", "nothing left over", " dB"}, nil},
}

func TestReports(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			d := k.rows.data()
			m := train(t, d, k.grades)
			if k.then != nil {
				nx, ny := len(d.Schema.Features), len(d.Schema.Targets)
				for i := range d.Rows {
					k.then(d.X[i*nx:(i+1)*nx], d.Y[i*ny:(i+1)*ny])
				}
			}
			doc := report(t, m, d, k.options)
			ids, words := check(t, doc)
			if got := strings.Join(ids, " "); k.sections != "" && got != k.sections {
				t.Errorf("sections %q, want %q", got, k.sections)
			}
			for _, w := range append(k.words, m.Checksum()) {
				if !strings.Contains(words, w) {
					t.Errorf("%q is not shown", w)
				}
			}
			if again := report(t, m, d, k.options); again != doc {
				t.Error("two reports differ")
			}
			prior, err := m.Truncate(0)
			if err != nil {
				t.Fatal(err)
			}
			check(t, report(t, prior, d, k.options))
		})
	}
}

// TestOneRow reports on the least there can be.
func TestOneRow(t *testing.T) {
	for _, k := range kinds {
		d := k.rows.data()
		m := train(t, d, 1)
		d.Rows, d.X, d.Y = 1, d.X[:len(d.Schema.Features)], d.Y[:len(d.Schema.Targets)]
		check(t, report(t, m, d, k.options))
	}
}

// TestTimes tells what may differ between two reports: the last cells of one table.
func TestTimes(t *testing.T) {
	d := kinds[0].rows.data()
	m := train(t, d, 2)
	var docs [2]string
	cell := regexp.MustCompile(`<td class="n">[0-9.]+` + nbsp + `(ns|µs|ms)</td></tr>`)
	for i := range docs {
		var b bytes.Buffer
		if err := Write(&b, m, d, Options{}); err != nil {
			t.Fatal(err)
		}
		docs[i] = b.String()
		if n := len(cell.FindAllString(docs[i], -1)); n != len(m.Grades()) {
			t.Errorf("%d times for %d grades", n, len(m.Grades()))
		}
		docs[i] = cell.ReplaceAllString(docs[i], "")
	}
	if docs[0] != docs[1] {
		t.Error("reports differ in more than times")
	}
}

func TestHostileNames(t *testing.T) {
	names := []string{
		`<script>alert(1)</script>`, `" onload="alert(1)`, `' onerror='x`, `</style><b>`, `&amp;&lt;`, `]]>`, `<!--`, `{{.}}`, `%s%d%!`,
		"a\x00b", "two\nlines", "\u202ertl", "", "   ", strings.Repeat("long ", 200), "日本語の列名", "fill:#1F66AD", `style="fill:#1F66AD"`,
		"NaN", "javascript:alert(1)",
	}
	hostile := mgdl.Column{Name: names[0], Kind: mgdl.Category, Levels: names}
	schema := mgdl.Schema{Features: append(numbers(names...), mgdl.Column{Name: names[0] + "2", Kind: mgdl.Category, Levels: names}), Targets: numbers(names[0]+"?", names[1]+"?")}
	for i := range schema.Features {
		schema.Features[i].Name += strings.Repeat(" ", i) // names may have to differ
	}
	regression := rows{schema, 100, func(r *rand.Rand, i int) (x, y []float64) {
		for range names {
			x = append(x, r.NormFloat64())
		}
		return append(x, float64(i%len(names))), []float64{x[0] + x[3], x[1] * float64(i%5)}
	}}
	narrow := rows{mgdl.Schema{Features: numbers(names[0], names[1]), Targets: numbers(names[3])}, 60, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{r.Float64(), r.Float64()}, []float64{r.Float64()}
	}}
	classification := rows{mgdl.Schema{Task: mgdl.Classification, Features: schema.Features[1:5], Targets: []mgdl.Column{hostile}}, 210, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{r.NormFloat64(), float64(i % len(names)), r.NormFloat64(), r.NormFloat64()}, []float64{float64(i % len(names))}
	}}
	few := rows{mgdl.Schema{Task: mgdl.Classification, Features: schema.Features[:1], Targets: []mgdl.Column{{Name: names[2], Kind: mgdl.Category, Levels: names[:3]}}}, 90, func(r *rand.Rand, i int) (x, y []float64) {
		return []float64{r.NormFloat64()}, []float64{float64(i % 3)}
	}}
	for _, c := range []rows{regression, narrow, classification, few} {
		d := c.data()
		m := train(t, d, 1)
		all := strings.Join(names, " ") + "\xff\xfe"
		doc := report(t, m, d, Options{Title: all, DataName: all, ModelPath: all, Command: all})
		if strings.Contains(doc, "<script") || strings.Contains(doc, "onload=\"alert") || strings.Contains(doc, "\u202e") {
			t.Error("a name got through")
		}
		// The names themselves hold what check looks for.
		for _, r := range []string{"NaN", "%!", "javascript:", "fill:#1F66AD"} {
			doc = strings.ReplaceAll(doc, r, "name")
		}
		_, words := check(t, doc)
		for _, w := range []string{"<script>", "</style><b>", "&amp;&lt;", "{{.}}", "a b", "two lines", "rtl", "日本語の列名"} {
			if !strings.Contains(words, w) {
				t.Errorf("%q is not shown as it is", w)
			}
		}
	}
}

// TestFigures compares what the page says with what is so.
func TestFigures(t *testing.T) {
	d := rows{mgdl.Schema{Features: numbers("noise", "signal", "other"), Targets: numbers("y")}, 500, func(r *rand.Rand, i int) (x, y []float64) {
		x = []float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
		return x, []float64{3*x[1] + 0.5*x[2]}
	}}.data()
	m := train(t, d, 2)
	ms, err := m.Evaluate(d)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSubject(m, d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.importance.order(3); got[0] != 1 || got[1] != 2 {
		t.Errorf("columns by importance: %v, rises %v", got, s.importance.by)
	}
	last := ms[len(ms)-1]
	f := s.fits()[0]
	if math.Abs(f.rmse-last.RMSE) > 1e-9*last.RMSE || math.Abs(f.r2-last.R2) > 1e-9 || math.Abs(f.mae-last.MAE) > 1e-9*last.MAE {
		t.Errorf("fit %v %v %v, want %+v", f.rmse, f.r2, f.mae, last)
	}
	if h := summarise(s); h.Before != "Explains" || h.Strong != share(last.R2) {
		t.Errorf("headline %q %q", h.Before, h.Strong)
	}
	w := worst(s, &f, 0, f.residual())
	if want := num(maxAbs(f.residual())); strings.TrimPrefix(w.Rows[0][3].Text, minus) != want {
		t.Errorf("worst residual %s, want %s", w.Rows[0][3].Text, want)
	}
}

func maxAbs(v []float64) float64 {
	m := 0.0
	for _, x := range v {
		m = max(m, math.Abs(x))
	}
	return m
}

func TestConfusion(t *testing.T) {
	d := kinds[3].rows.data()
	m := train(t, d, 1)
	s, err := newSubject(m, d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := confusion(s, s.verdicts())
	right, all := 0, 0
	for i, row := range c.counts {
		for j, n := range row {
			all += n
			if i == j {
				right += n
			}
		}
	}
	if all != d.Rows || float64(right)/float64(all) != s.last().Accuracy {
		t.Errorf("%d right of %d, accuracy %v of %d rows", right, all, s.last().Accuracy, d.Rows)
	}
}

func TestCurves(t *testing.T) {
	nan := math.NaN()
	checks := func(pairs ...float64) []mgdl.Check {
		var c []mgdl.Check
		for i := 0; i+1 < len(pairs); i += 2 {
			c = append(c, mgdl.Check{Epoch: float64(i + 1), TrainLoss: pairs[i], ValLoss: pairs[i+1]})
		}
		return c
	}
	many := make([]mgdl.GradeInfo, 40)
	for k := range many {
		many[k] = mgdl.GradeInfo{Kind: "relu", TrainLoss: 1 / float64(k+1), ValLoss: nan, Curve: checks(2/float64(k+1), nan, 1/float64(k+1), nan)}
	}
	long := mgdl.GradeInfo{Kind: "relu", TrainLoss: 1, ValLoss: 1}
	for i := range 50000 {
		long.Curve = append(long.Curve, mgdl.Check{Epoch: float64(i), TrainLoss: 1 + 1/float64(i+1), ValLoss: 2})
	}
	for _, c := range []struct {
		name   string
		grades []mgdl.GradeInfo
		chart  bool
	}{
		{"no grades", nil, false},
		{"no curves", []mgdl.GradeInfo{{Kind: "linear", TrainLoss: 0.5, ValLoss: nan}}, false},
		{"all NaN", []mgdl.GradeInfo{{TrainLoss: nan, ValLoss: nan, Curve: checks(nan, nan, nan, nan)}}, false},
		{"epochs NaN", []mgdl.GradeInfo{{TrainLoss: 1, ValLoss: 1, Curve: []mgdl.Check{{Epoch: nan, TrainLoss: 1, ValLoss: 1}}}}, false},
		{"zero and infinite", []mgdl.GradeInfo{{TrainLoss: 0, ValLoss: math.Inf(1), Curve: checks(0, math.Inf(1), -1, 1, 1, 1)}}, true},
		{"one check", []mgdl.GradeInfo{{TrainLoss: 1, ValLoss: 1, Curve: checks(2, 1)}}, true},
		{"holes", []mgdl.GradeInfo{{TrainLoss: 1, ValLoss: nan, Curve: checks(3, nan, nan, 2, 1, nan)}}, true},
		{"linear first", []mgdl.GradeInfo{{Kind: "linear", TrainLoss: 1, ValLoss: 1}, {Kind: "relu", TrainLoss: 0.5, ValLoss: 0.6, Curve: checks(1, 1, 0.5, 0.6)}}, true},
		{"epochs start again", []mgdl.GradeInfo{{TrainLoss: 1, ValLoss: 1, Curve: append(checks(3, 3, 2, 2), checks(3, 3, 2, 2)...)}}, true},
		{"many", many, true},
		{"long", []mgdl.GradeInfo{long}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			sec := curvesSection(c.grades, false)
			if got := len(sec.Parts) > 0; got != c.chart {
				t.Fatalf("chart %v, want %v: %s", got, c.chart, sec.Intro)
			}
			if !c.chart {
				return
			}
			svg := string(sec.Parts[0].Figures[0].SVG[0])
			if notNumber.MatchString(svg) || len(svg) > 60000 {
				t.Errorf("%d bytes: %.300s", len(svg), svg)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	d := kinds[0].rows.data()
	m := train(t, d, 1)
	for name, bad := range map[string]mgdl.Data{
		"no rows":    {Schema: d.Schema},
		"short X":    {Schema: d.Schema, Rows: d.Rows, X: d.X[1:], Y: d.Y},
		"short Y":    {Schema: d.Schema, Rows: d.Rows, X: d.X, Y: d.Y[1:]},
		"other rows": {Schema: d.Schema, Rows: d.Rows - 1, X: d.X, Y: d.Y},
	} {
		var b bytes.Buffer
		if err := Write(&b, m, bad, Options{}); err == nil || !strings.HasPrefix(err.Error(), "report: ") || b.Len() > 0 {
			t.Errorf("%s: %v after %d bytes", name, err, b.Len())
		}
	}
	full := errors.New("disk full")
	if err := write(writer{full}, m, d, Options{}, fixed); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}

type writer struct{ err error }

func (w writer) Write([]byte) (int, error) { return 0, w.err }

// TestManyColumns holds that wide tables stay readable and are done in time.
func TestManyColumns(t *testing.T) {
	var names []string
	for i := range 230 {
		names = append(names, fmt.Sprintf("column number %d with a long name", i))
	}
	d := rows{mgdl.Schema{Features: numbers(names...), Targets: numbers("y")}, 60, func(r *rand.Rand, i int) (x, y []float64) {
		for range names {
			x = append(x, r.NormFloat64())
		}
		return x, x[:1]
	}}.data()
	_, words := check(t, report(t, train(t, d, 1), d, Options{}))
	if !strings.Contains(words, "not measured: there are 230 columns") {
		t.Error("does not say why importance is missing")
	}
}
