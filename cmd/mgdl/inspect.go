package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/multigrade/multigrade/mgdl"
)

// newInspect makes the command mgdl inspect.
func newInspect() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Show what a model is made of",
		Long: `inspect shows the columns a model wants, and for each grade its networks, the cost of
a prediction and the loss of the model that ends with it: the mean squared error of the
standardised target (so the share of the variance left), or the cross-entropy in nats.`,
		Example: `  mgdl inspect houses.safetensors`,
		Args:    exactly("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := readModel(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return inspectJSON(cmd.OutOrStdout(), m)
			}
			return inspectText(cmd.OutOrStdout(), args[0], m)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// newVerify makes the command mgdl verify.
func newVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify MODEL",
		Short: "Check that a model file is whole",
		Long: `verify reads a model file, compares its checksum and prints "ok" and the checksum, or
says what is wrong with the file and exits with code 4.`,
		Example: `  mgdl verify houses.safetensors`,
		Args:    exactly("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := readModel(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "ok %s\n", m.Checksum())
			return err
		},
	}
}

// metaKeys are the entries of a model's metadata that the command writes.
func metaKeys() []string {
	return []string{"seed", "rows", "data_sha256", recordKey, functionKey, boundKey}
}

// inspectText prints the model for people.
func inspectText(w io.Writer, path string, m *mgdl.Model) error {
	s := m.Schema()
	size := ""
	if info, err := os.Stat(path); err == nil {
		size = ", " + grouped(int(info.Size())) + " bytes"
	}
	fmt.Fprintf(w, "%s: %s, %s, %s parameters%s\n", path, s.Task, count(len(m.Grades()), "grade", "grades"),
		grouped(parameters(m)), size)
	fmt.Fprintf(w, "checksum %s\n", m.Checksum())
	for _, key := range metaKeys() {
		if v := m.Meta(key); v != "" {
			fmt.Fprintf(w, "%s %s\n", key, v)
		}
	}

	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "grade\tnetworks\tparameters\tmultiply-adds\ttraining loss\tvalidation loss")
	fmt.Fprintf(t, "prior\t\t\t\t%s\t%s\n", lossText(m.Prior().TrainLoss), lossText(m.Prior().ValLoss))
	grades := m.Grades()
	for i, last := 0, 0; i < len(grades); i = last + 1 {
		last = lastAlike(grades, i)
		g, name, each := grades[last], strconv.Itoa(i+1), ""
		if last > i {
			name, each = fmt.Sprintf("%d-%d", i+1, last+1), " each"
		}
		fmt.Fprintf(t, "%s\t%s\t%s%s\t%s\t%s\t%s\n", name, shape(g), grouped(g.Params), each, grouped(g.MACs),
			lossText(g.TrainLoss), lossText(g.ValLoss))
	}
	t.Flush()
	for i, g := range grades {
		if c := g.Certificate; c != nil {
			scope := "for the gates it was given"
			if c.Global {
				scope = "among all networks with one hidden layer"
			}
			fmt.Fprintf(w, "grade %d: its program is solved to %.1e of the zero grade's objective, %s (penalty %.3g of the largest)\n", i+1, c.Gap, scope, c.Lambda)
		}
	}

	fmt.Fprintln(w)
	fmt.Fprintln(t, "column\tkind\tvalues\tif missing")
	for _, c := range s.Features {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", c.Name, c.Kind, valuesText(c), missingText(c))
	}
	for _, c := range s.Targets {
		fmt.Fprintf(t, "%s\ttarget %s\t%s\t\n", c.Name, c.Kind, valuesText(c))
	}
	return t.Flush()
}

// lastAlike returns the last of the grades of one form from grade i on, which are shown in one line
// with the losses of the last. Models of up to 40 grades show every grade.
func lastAlike(grades []mgdl.GradeInfo, i int) int {
	const most = 40
	last := i
	for len(grades) > most && last+1 < len(grades) && shape(grades[last+1]) == shape(grades[i]) && grades[last+1].Params == grades[i].Params {
		last++
	}
	return last
}

// lossText writes a loss, or nothing where there is none.
func lossText(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return short(x)
}

// valuesText describes the values a column had in training.
func valuesText(c mgdl.Column) string {
	if c.Kind == mgdl.Number {
		return short(c.Min) + " to " + short(c.Max)
	}
	const most = 6
	labels := make([]string, 0, most)
	for _, l := range c.Levels[:min(most, len(c.Levels))] {
		if l == "" {
			l = "(missing)"
		}
		labels = append(labels, l)
	}
	if n := len(c.Levels) - most; n > 0 {
		labels = append(labels, fmt.Sprintf("and %s more", grouped(n)))
	}
	return strings.Join(labels, ", ")
}

// missingText says what a missing value of a feature becomes.
func missingText(c mgdl.Column) string {
	switch {
	case c.Kind == mgdl.Number:
		return strconv.FormatFloat(c.Missing, 'g', 4, 64)
	case len(c.Levels) > 0 && c.Levels[0] == "":
		return "its own level"
	}
	return "no level"
}

// inspectJSON prints the model for programs.
func inspectJSON(w io.Writer, m *mgdl.Model) error {
	type column struct {
		Name    string   `json:"name"`
		Kind    string   `json:"kind"`
		Levels  []string `json:"levels,omitempty"`
		Missing *number  `json:"missing,omitempty"`
		Mean    *number  `json:"mean,omitempty"`
		Scale   *number  `json:"scale,omitempty"`
		Min     *number  `json:"min,omitempty"`
		Max     *number  `json:"max,omitempty"`
	}
	type grade struct {
		Grade     int    `json:"grade"`
		Kind      string `json:"kind"`
		Hidden    []int  `json:"hidden,omitempty"`
		Networks  int    `json:"networks"`
		Params    int    `json:"params"`
		MACs      int    `json:"macs"`
		TrainLoss number `json:"train_loss"`
		ValLoss   number `json:"val_loss"`
		*gap
	}
	columns := func(list []mgdl.Column) []column {
		out := []column{}
		for _, c := range list {
			j := column{Name: c.Name, Kind: c.Kind.String(), Levels: c.Levels}
			if c.Kind == mgdl.Number {
				n := []number{number(c.Missing), number(c.Mean), number(c.Scale), number(c.Min), number(c.Max)}
				j.Missing, j.Mean, j.Scale, j.Min, j.Max = &n[0], &n[1], &n[2], &n[3], &n[4]
			}
			out = append(out, j)
		}
		return out
	}
	info := func(i int, g mgdl.GradeInfo) grade {
		return grade{i, g.Kind, g.Hidden, g.Networks, g.Params, g.MACs, number(g.TrainLoss), number(g.ValLoss), gapOf(g)}
	}
	s := m.Schema()
	grades := []grade{}
	for i, g := range m.Grades() {
		grades = append(grades, info(i+1, g))
	}
	meta := map[string]string{}
	for _, key := range metaKeys() {
		if v := m.Meta(key); v != "" {
			meta[key] = v
		}
	}
	return printJSON(w, struct {
		Task     string            `json:"task"`
		Targets  []column          `json:"targets"`
		Features []column          `json:"features"`
		Clip     number            `json:"clip"`
		Params   int               `json:"params"`
		Prior    grade             `json:"prior"`
		Grades   []grade           `json:"grades"`
		Checksum string            `json:"checksum"`
		Meta     map[string]string `json:"meta"`
	}{s.Task.String(), columns(s.Targets), columns(s.Features), number(s.Clip), parameters(m),
		info(0, m.Prior()), grades, m.Checksum(), meta})
}
