package report

import (
	_ "embed"
	"html/template"
	"io"

	"github.com/multigrade/multigrade/mgdl"
)

var (
	//go:embed page.tmpl
	pageTemplate string
	//go:embed page.css
	pageCSS string
)

// page is what the template shows.
type page struct {
	Head     headline
	CSS      template.CSS
	Sections []section
}

type section struct {
	ID, Title, Intro string
	Parts            []part
}

func (s *section) add(p part) { s.Parts = append(s.Parts, p) }

// part is a row of figures, or a table, or figures and a table side by side.
type part struct {
	Figures []figure
	Table   *table
	Columns int // 1 to 4; 0 for a table alone
}

// figure is one or more charts under one caption.
type figure struct {
	Title, Note string
	Keys        []key
	SVG         []template.HTML
	Empty       string // instead of charts: why there are none
	Scales      []scale
	Foot        string
}

// key explains one colour of a figure. Tone and Shape are classes of the style sheet.
type key struct{ Tone, Shape, Text string }

// scale explains the colours of a picture from the lowest value to the highest.
type scale struct{ Low, High, Ramp string }

type table struct {
	Caption string
	Head    []cell
	Rows    [][]cell
	Foot    string
}

// Few says that the table is too narrow to fill the page.
func (t *table) Few() bool { return len(t.Head) <= 6 }

type cell struct {
	Text   string
	Number bool // set right
	Bar    float64
	HasBar bool // a bar of Bar percent before the text
}

func text(s string) cell   { return cell{Text: s} }
func number(s string) cell { return cell{Text: s, Number: true} }

// rawCell is a cell for a raw value of a column of that kind.
func rawCell(k mgdl.Kind, s string) cell { return cell{Text: s, Number: k == mgdl.Number} }

// compose puts the page together.
func compose(s *subject) page {
	p := page{Head: summarise(s), CSS: template.CSS(variables() + rampCSS() + pageCSS)}
	p.Sections = append(p.Sections, gradesSection(s))
	p.Sections = append(p.Sections, shapeSections(s)...)
	p.Sections = append(p.Sections, curvesSection(s.steps[1:], s.classifies()))
	if s.classifies() {
		p.Sections = append(p.Sections, classificationSections(s)...)
	} else {
		p.Sections = append(p.Sections, regressionSections(s)...)
	}
	if s.features() > 1 {
		p.Sections = append(p.Sections, importanceSection(s))
	}
	return p
}

func (p page) render(w io.Writer) error {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}
