package report

import (
	"fmt"
	"math"
	"runtime"
	"strings"

	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl"
)

// headline is the page's first screen: what the model is for and how well it does it.
type headline struct {
	Over           string     // small line above the title
	Title          string     //
	Before, Strong string     // the result in a sentence: "Explains" "99.2 %"
	After          string     // "of the variance of price with 4 grades."
	More           []string   // further sentences
	Tiles          []labelled // figures at a glance
	Facts          []labelled // where it comes from and how to get it again
}

type labelled struct {
	Label, Text string
	Note        string
	Mono        bool
}

func summarise(s *subject) headline {
	h := headline{
		Over:  "Multigrade report · " + s.schema.Task.String(),
		Title: label(s.title(), 120),
		Tiles: tiles(s),
		Facts: facts(s),
	}
	if s.classifies() {
		h.classified(s)
	} else {
		h.regressed(s)
	}
	return h
}

func (s *subject) title() string {
	switch o := s.options; {
	case o.Title != "":
		return o.Title
	case o.DataName != "":
		return s.targets(3) + " from " + o.DataName
	}
	return "Predicting " + s.targets(3)
}

// targets names the targets in a sentence, at most most of them.
func (s *subject) targets(most int) string {
	var names []string
	for _, c := range s.schema.Targets {
		names = append(names, label(c.Name, 40))
	}
	if len(names) > most {
		return plural(len(names), "target")
	}
	return list(names)
}

// together is targets where a figure is over all of them.
func (s *subject) together() string {
	if len(s.schema.Targets) > 1 {
		return s.targets(3) + " taken together"
	}
	return s.targets(3)
}

func (s *subject) withGrades() string {
	if s.grades() == 0 {
		return "without any grade"
	}
	return "with " + plural(s.grades(), "grade")
}

func (h *headline) regressed(s *subject) {
	first, last := s.metrics[0], s.last()
	explained, where := last.R2, ""
	seen := s.seen()
	if v := s.steps[s.grades()].ValLoss; seen && !math.IsNaN(v) {
		explained, where = 1-v, " on rows held out in training,"
	}
	switch {
	case math.IsNaN(explained) || math.IsInf(explained, 0):
		h.Before, h.Strong, h.After = "Predicts", s.targets(3), s.withGrades()+"."
	case explained <= 0:
		h.Before, h.Strong = "Does", "no better than the mean"
		h.After = fmt.Sprintf("of %s%s %s (R² %s).", s.targets(3), where, s.withGrades(), num(explained))
	default:
		h.Before, h.Strong, h.After = "Explains", share(explained), "of the variance of "+s.together()+where+" "+s.withGrades()+"."
	}
	switch {
	case seen:
		h.More = append(h.More, fmt.Sprintf("All other figures are for rows the model was trained on, as their loss tells; it explains %s of their variance. New rows are rarely fitted as well.", share(last.R2)))
	case s.grades() > 0 && !math.IsNaN(last.RMSE):
		h.More = append(h.More, fmt.Sprintf("The root mean squared error falls from %s for the mean alone to %s.", num(first.RMSE), num(last.RMSE)))
	}
	best := 0
	for k, m := range s.metrics {
		if m.RMSE < s.metrics[best].RMSE {
			best = k
		}
	}
	if b := s.metrics[best].RMSE; best < s.grades() && b < last.RMSE*0.999 {
		h.More = append(h.More, fmt.Sprintf("On these rows %s: RMSE %s.", prefixDoesBetter(best), num(b)))
	}
}

func (h *headline) classified(s *subject) {
	first, last := s.metrics[0], s.last()
	rows := plural(s.data.Rows, "row")
	if s.seen() {
		rows = plural(s.data.Rows, "training row")
	}
	h.Before, h.Strong = "Gets", share(last.Accuracy)
	h.After = fmt.Sprintf("of %s right, telling %d classes of %s apart %s.", rows, s.model.Outputs(), s.targets(1), s.withGrades())
	if s.grades() > 0 {
		h.More = append(h.More, fmt.Sprintf("Always naming the commonest class would get %s right. The log loss falls from %s to %s nats.",
			share(first.Accuracy), num(first.LogLoss), num(last.LogLoss)))
	}
	if v := s.steps[s.grades()].ValLoss; s.seen() && !math.IsNaN(v) {
		h.More = append(h.More, fmt.Sprintf("These are rows the model was trained on, as their loss tells. On rows held out in training the log loss is %s nats, and that is what to expect of new ones.", num(v)))
	}
	best := 0
	for k, m := range s.metrics {
		if m.Accuracy > s.metrics[best].Accuracy {
			best = k
		}
	}
	if b := s.metrics[best].Accuracy; best < s.grades() && b > last.Accuracy {
		h.More = append(h.More, fmt.Sprintf("On these rows %s: %s right.", prefixDoesBetter(best), share(b)))
	}
}

func prefixDoesBetter(k int) string {
	switch k {
	case 0:
		return "the prior alone does better"
	case 1:
		return "grade 1 alone does better"
	}
	return fmt.Sprintf("the first %d grades alone do better", k)
}

// seen tells whether the rows are those of training, where the errors are no estimate
// for new ones: the loss of the same model on the same rows is the same figure.
func (s *subject) seen() bool {
	here := 1 - s.last().R2
	if s.classifies() {
		here = s.last().LogLoss
	}
	t := s.steps[s.grades()].TrainLoss
	return s.grades() > 0 && math.Abs(here-t) <= 0.001*t
}

func tiles(s *subject) []labelled {
	numbers, params := 0, 0
	for _, c := range s.schema.Features {
		if c.Kind == mgdl.Number {
			numbers++
		}
	}
	columns := labelled{Label: "columns", Text: count(s.features())}
	switch n := s.features(); {
	case n == 1:
		columns.Label, columns.Note = "column", "a "+s.schema.Features[0].Kind.String()
	case numbers == n:
		columns.Note = "all numbers"
	case numbers == 0:
		columns.Note = "all categories"
	default:
		columns.Note = plural(numbers, "number") + ", " + plural(n-numbers, "category")
	}
	var kinds []string
	for _, g := range s.steps[1:] {
		params += g.Params
		if n := len(kinds); n == 0 || kinds[n-1] != g.Kind {
			kinds = append(kinds, g.Kind)
		}
	}
	grades := labelled{Label: "grades", Text: count(s.grades()), Note: strings.Join(kinds, ", then ")}
	if s.grades() == 0 {
		grades.Note = "the prior alone"
	}
	if len(kinds) > 3 {
		grades.Note = strings.Join(kinds[:3], ", ") + ", …"
	}
	target := labelled{Label: "target", Text: s.targets(1), Note: "a number"}
	if s.classifies() {
		target.Note = plural(s.model.Outputs(), "class")
	} else if n := len(s.schema.Targets); n > 1 {
		target = labelled{Label: "targets", Text: count(n), Note: s.targets(n)}
		if n > 3 {
			var names []string
			for _, c := range s.schema.Targets {
				names = append(names, label(c.Name, 40))
			}
			target.Note = list(names)
		}
	}
	return []labelled{
		{Label: "rows", Text: count(s.data.Rows), Note: "measured here"},
		columns, target, grades,
		{Label: "parameters", Text: count(params), Note: "in all networks"},
	}
}

func facts(s *subject) []labelled {
	o, sel := s.options, kernel.Selected()
	var f []labelled
	add := func(l labelled) {
		if l.Text != "" {
			f = append(f, l)
		}
	}
	if o.Command != "" {
		add(labelled{Label: "Reproduce", Text: label(o.Command, 2000), Mono: true})
	}
	if o.DataName != "" {
		add(labelled{Label: "Rows", Text: label(o.DataName, 400), Mono: true})
	}
	if o.ModelPath != "" {
		add(labelled{Label: "Model", Text: label(o.ModelPath, 400), Mono: true})
	}
	add(labelled{Label: "Checksum", Text: s.model.Checksum(), Mono: true, Note: "SHA-256 the model file carries"})
	host := fmt.Sprintf("%s, %s/%s, kernel %s", runtime.Version(), runtime.GOOS, runtime.GOARCH, sel.Name)
	note := ""
	if len(sel.Available) > 1 {
		note = "available here: " + strings.Join(sel.Available, ", ") + "; all give the same bits"
	}
	if sel.Requested != "" && !sel.Honored {
		note = "MGDL_KERNEL asked for " + label(sel.Requested, 40) + ", which is not available here"
	}
	add(labelled{Label: "Measured with", Text: host, Note: note})
	return f
}
