package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/multigrade/multigrade/cmd/mgdl/report"
	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/construct"
)

// What construct writes into a model's metadata: the formula with its certificate, and the bound on the
// error of float32 predictions.
const (
	functionKey = "function"
	boundKey    = "bound"
)

// newConstruct makes the command mgdl construct.
func newConstruct() *cobra.Command {
	var c construction
	var list bool
	var low, high float64
	cmd := &cobra.Command{
		Use:   "construct FUNCTION",
		Short: "Build a network for a formula, with proven bounds on its error",
		Long: `construct builds a multigrade network for a function on the unit cube, without training:
every grade adds hats, no grade raises the error at any point, and the error has a
proven bound. FUNCTION is a name from --list or a formula in x, or in x1, x2.. for
several dimensions, of
` + formulaHelp + `.

The proof needs a certificate, which is yours: values of a function cannot prove it.
  --curvature K --min M   |v'·Hessian·v| <= K |v|^2, and f >= M (or --max: f <= M)
  --lipschitz L           every partial derivative is at most L in magnitude
  --modulus EXPR          |f(x)-f(y)| <= EXPR for h = the largest |xi-yi|
If values contradict it, construct says where and writes nothing (exit code 3). Without
a certificate one is guessed from values; the result is then called empirical.

The bound is for the network's predictions in float32, rounding included. -o FILE.hats
writes the sparse form, for functions that take more hats than a network file can hold.`,
		Example: `  mgdl construct --list
  mgdl construct waves -o waves.safetensors --report waves.html
  mgdl construct 'exp(-x)*sin(9*x)' --curvature 100 --min -1 --eps 1e-4
  mgdl construct 'abs(x1-x2)' --lipschitz 1 --eps 0.05`,
		Args: func(cmd *cobra.Command, args []string) error {
			if list && len(args) == 0 {
				return nil
			}
			return exactly("FUNCTION")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c.out, c.log = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if list {
				return listGallery(c.out, c.asJSON)
			}
			if cmd.Flags().Changed("min") {
				c.given.Min = &low
			}
			if cmd.Flags().Changed("max") {
				c.given.Max = &high
			}
			if err := c.prepare(cmd, args[0]); err != nil {
				return err
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return c.run(ctx)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&list, "list", false, "show the functions that are known by name, with their certificates")
	f.IntVar(&c.given.Dim, "dim", 0, "dimensions of the cube (default: the largest variable)")
	f.Float64Var(&c.given.Lipschitz, "lipschitz", 0, "bound `L` on every partial derivative")
	f.Float64Var(&c.given.Curvature, "curvature", 0, "bound `K` on second derivatives in all directions; needs --min or --max")
	f.Float64Var(&low, "min", 0, "lower bound `M` of the function")
	f.Float64Var(&high, "max", 0, "upper bound `M` of the function")
	f.StringVar(&c.given.Modulus, "modulus", "", "modulus of continuity, a formula `EXPR` in h")
	f.Float64Var(&c.given.Noise, "noise", 0, "bound on the rounding error of the formula (default 2^-40 of its size)")
	f.Float64Var(&c.given.Eps, "eps", 0, "build until the proven bound is at most `E` (default: of a name, its own; else 0.01)")
	f.IntVar(&c.hats, "hats-per-grade", 0, "most hats `B` of a grade; the network is dim + 4B wide, 1 + 2B for one dimension (default: chosen)")
	f.StringVar(&c.modeName, "mode", "auto", "auto, oscillation, lipschitz, minorant, majorant, or interpolate (not monotone)")
	f.IntVar(&c.samples, "samples", 1_000_000, "random `points` to check the result at")
	f.Uint64Var(&c.seed, "seed", 1, "of the random points")
	f.BoolVar(&c.asJSON, "json", false, "print a JSON object")
	f.StringVarP(&c.output, "output", "o", "", "write the network to `FILE`, or its sparse form if FILE ends in .hats")
	f.StringVar(&c.report, "report", "", "write a report with pictures to `FILE`.html")
	return cmd
}

// listGallery prints the functions that are known by name.
func listGallery(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, gallery())
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "name\tdim\tfunction\tcertificate\tbecause\teps")
	for _, g := range gallery() {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%g\n", g.Name, g.Dim, g.Formula, g.certificateText(), g.Why, g.Eps)
	}
	return t.Flush()
}

// certificateText says what is claimed, as flags.
func (c *claim) certificateText() string {
	var s []string
	add := func(flag string, v float64) { s = append(s, "--"+flag+" "+strconv.FormatFloat(v, 'g', -1, 64)) }
	if c.Curvature != 0 {
		add("curvature", c.Curvature)
	}
	if c.Lipschitz != 0 {
		add("lipschitz", c.Lipschitz)
	}
	if c.Modulus != "" {
		s = append(s, "--modulus "+shellCommand(c.Modulus))
	}
	if c.Min != nil {
		add("min", *c.Min)
	}
	if c.Max != nil {
		add("max", *c.Max)
	}
	return strings.Join(s, " ")
}

// varies reports whether the claim says how the function varies, which a certificate must.
func (c *claim) varies() bool { return c.Lipschitz != 0 || c.Curvature != 0 || c.Modulus != "" }

// certificate returns what is claimed.
func (c *claim) certificate() (construct.Certificate, error) {
	cert := construct.Certificate{Lipschitz: c.Lipschitz, Curvature: c.Curvature, Lower: c.Min, Upper: c.Max, Noise: c.Noise}
	if c.Modulus != "" {
		m, err := parseFormula(c.Modulus, []string{"h"})
		if err != nil {
			return cert, err
		}
		cert.Modulus = func(h float64) float64 { return m.eval([]float64{h}) }
	}
	return cert, nil
}

// A construction is one run of the command.
type construction struct {
	given          claim // by flags, then completed
	hats, samples  int
	seed           uint64
	modeName       string
	asJSON         bool
	output, report string
	out, log       io.Writer

	mode        construct.Mode
	f           construct.Func
	certificate construct.Certificate
	empirical   bool
}

// prepare completes and checks what was given.
func (c *construction) prepare(cmd *cobra.Command, function string) error {
	g := &c.given
	g.Formula = function
	for _, known := range gallery() {
		if known.Name != function {
			continue
		}
		if g.varies() || g.Min != nil || g.Max != nil { // another certificate for it
			known.Lipschitz, known.Curvature, known.Modulus, known.Min, known.Max = g.Lipschitz, g.Curvature, g.Modulus, g.Min, g.Max
		}
		if g.Dim != 0 && g.Dim != known.Dim {
			return usageError(cmd, "--dim %d: %s has %s", g.Dim, function, count(known.Dim, "dimension", "dimensions"))
		}
		if g.Eps != 0 {
			known.Eps = g.Eps
		}
		known.Noise = g.Noise
		*g = known
	}
	f, err := parseFormula(g.Formula, nil)
	if err != nil {
		return usageError(cmd, "%w", err)
	}
	if g.Dim == 0 {
		g.Dim = max(f.dim, 1)
	}
	if g.Dim < f.dim {
		return usageError(cmd, "--dim %d: the formula has the variable x%d", g.Dim, f.dim)
	}
	c.f = f.eval
	if !cmd.Flags().Changed("eps") && g.Eps == 0 {
		g.Eps = 0.01
	}
	if !(g.Eps > 0) {
		return usageError(cmd, "--eps %v: want a positive number", g.Eps)
	}
	if c.hats < 0 || c.samples < 1 {
		return usageError(cmd, "--hats-per-grade and --samples: want positive numbers")
	}
	if c.mode, err = construct.ParseMode(c.modeName); err != nil {
		return usageError(cmd, "--mode %s: want auto, oscillation, lipschitz, minorant, majorant or interpolate", c.modeName)
	}
	if c.certificate, err = g.certificate(); err != nil {
		return usageError(cmd, "--modulus: %w", err)
	}
	c.empirical = !g.varies()
	for _, path := range []string{c.output, c.report} {
		if path == "" {
			continue
		}
		if err := checkOutput(path); err != nil {
			return err
		}
	}
	if samePath(c.output, c.report) {
		return usageError(cmd, "--output and --report are the same file")
	}
	return nil
}

// run builds, checks, writes and prints.
func (c *construction) run(ctx context.Context) error {
	s, err := c.build(ctx, c.given.Eps)
	if err != nil {
		return err
	}
	// Room for float32, if that leaves any for the rest.
	if adds := 1.5 * s.Rounding(); c.bound(s) > c.given.Eps && adds < c.given.Eps/2 {
		fmt.Fprintf(c.log, "float32 adds %s: once more\n", upward(s.Rounding()))
		if s, err = c.build(ctx, c.given.Eps-adds); err != nil {
			return err
		}
	}
	if c.hats == 0 {
		c.hats = s.HatsPerGrade()
	}
	check, err := s.Check(ctx, c.f, c.samples, c.seed)
	if err != nil {
		return err
	}
	if err := c.refuted(s, check); err != nil {
		return err
	}
	if err := c.write(ctx, s, check); err != nil {
		return err
	}
	if c.asJSON {
		return c.printJSON(s, check)
	}
	return c.print(s, check)
}

// build builds the scheme of a bound in float64. A guessed certificate that values contradict is widened.
func (c *construction) build(ctx context.Context, eps float64) (*construct.Scheme, error) {
	o := construct.Options{Dim: c.given.Dim, Eps: eps, Mode: c.mode, Note: c.note(),
		Progress: func(l construct.Level) {
			fmt.Fprintf(c.log, "mesh %d: %s, error at most %s\n", l.Mesh, count(l.Hats, "hat", "hats"), upward(l.Bound))
		}}
	if !c.empirical {
		o.Certificate = c.certificate
		s, err := construct.Build(ctx, c.f, o)
		return s, c.explain(err)
	}
	e, err := construct.Estimate(ctx, c.f, c.given.Dim)
	if err != nil {
		return nil, c.explain(err)
	}
	e.Noise = c.certificate.Noise
	if c.certificate.Lower != nil {
		e.Lower = c.certificate.Lower
	}
	if c.certificate.Upper != nil {
		e.Upper = c.certificate.Upper
	}
	const tries = 6
	for try := 0; ; try++ {
		o.Certificate = e
		s, err := construct.Build(ctx, c.f, o)
		var wrong *construct.CertificateError
		if try == tries || !errors.As(err, &wrong) {
			return s, c.explain(err)
		}
		e = widened(e)
	}
}

// widened returns an estimate with twice the variation.
func widened(e construct.Certificate) construct.Certificate {
	e.Lipschitz *= 2
	e.Curvature *= 2
	if m := e.Modulus; m != nil {
		e.Modulus = func(h float64) float64 { return 2 * m(h) }
	}
	if e.Lower != nil && e.Upper != nil {
		margin := (*e.Upper - *e.Lower) / 8
		e.Lower, e.Upper = new(*e.Lower-margin), new(*e.Upper+margin)
	}
	return e
}

// explain gives an error of the library its exit code.
func (c *construction) explain(err error) error {
	var wrong *construct.CertificateError
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	text := errors.New(strings.TrimPrefix(err.Error(), "construct: "))
	switch {
	case errors.As(err, &wrong):
		return &failure{exitData, text}
	case errors.Is(err, construct.ErrTooLarge):
		return &failure{exitFailed, fmt.Errorf("%w (-o FILE.hats writes it; fewer hats come with a larger --eps)", text)}
	case errors.Is(err, construct.ErrEps):
		return &failure{exitFailed, fmt.Errorf("%w (a larger --eps, or a sharper certificate)", text)}
	}
	return &failure{exitUsage, text}
}

// refuted returns an error if points contradict what the certificate proves.
func (c *construction) refuted(s *construct.Scheme, check construct.Check) error {
	x := make([]string, len(check.At))
	for i, v := range check.At {
		x[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	what := "the certificate"
	if c.empirical {
		what = "the estimate from values"
	}
	switch {
	case check.Sup > s.Bound():
		return &failure{exitData, fmt.Errorf("%s is wrong: at %s the error is %s, and it would prove %s",
			what, strings.Join(x, ", "), short(check.Sup), short(s.Bound()))}
	case check.Violations > 0:
		return &failure{exitData, fmt.Errorf("%s is wrong: a grade raises the error at %s of %s, by up to %s",
			what, count(check.Violations, "point", "points"), grouped(check.Points), short(check.Increase))}
	}
	return nil
}

// note says what the result is made from, for its files.
func (c *construction) note() string {
	if c.empirical {
		return c.given.Formula + "; empirical"
	}
	return c.given.Formula + "; certificate " + c.given.certificateText()
}

// write writes what was asked for.
func (c *construction) write(ctx context.Context, s *construct.Scheme, check construct.Check) error {
	var files []func() error
	switch {
	case strings.HasSuffix(c.output, ".hats"):
		files = append(files, func() error {
			return writeAtomic(c.output, func(w io.Writer) error { _, err := s.WriteTo(w); return err })
		})
	case c.output != "":
		m, err := s.Model(c.f, c.hats, nil)
		if err != nil {
			return c.explain(err)
		}
		const points = 100 // a prediction may take a thousand grades
		of, err := s.CheckModel(ctx, m, c.hats, c.f, points, c.seed)
		if err != nil {
			return err
		}
		if of.Sup > c.bound(s) || of.Violations > 0 {
			return fmt.Errorf("the network's error is %v and rises at %d of %d points: this is a mistake in mgdl", of.Sup, of.Violations, points)
		}
		m = m.WithMeta(functionKey, c.note()).WithMeta(boundKey, strconv.FormatFloat(c.bound(s), 'g', -1, 64))
		files = append(files, func() error { return mgdl.WriteFile(c.output, m) })
	}
	if c.report != "" {
		o := report.SchemeOptions{Title: c.title(), Function: c.given.Formula, Certificate: c.given.certificateText(),
			Hats: c.hats, Bound: c.bound(s), Check: check, Eps: c.given.Eps}
		files = append(files, func() error {
			return writeAtomic(c.report, func(w io.Writer) error { return report.WriteScheme(w, s, c.f, o) })
		})
	}
	for _, write := range files {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

func (c *construction) title() string {
	if c.given.Name != "" {
		return c.given.Name
	}
	return c.given.Formula
}

// bound is what is proven of float32 predictions.
func (c *construction) bound(s *construct.Scheme) float64 { return s.Bound() + s.Rounding() }

// printJSON prints the result for programs.
func (c *construction) printJSON(s *construct.Scheme, check construct.Check) error {
	type level struct {
		Mesh  int     `json:"mesh"`
		Hats  int     `json:"hats"`
		Bound float64 `json:"bound"`
		Sup   float64 `json:"sup_sampled"`
	}
	var levels []level
	for j, l := range s.Levels() {
		levels = append(levels, level{l.Mesh, l.Hats, l.Bound, check.Levels[j]})
	}
	return printJSON(c.out, struct {
		Function    string  `json:"function"`
		Dim         int     `json:"dim"`
		Mode        string  `json:"mode"`
		Width       int     `json:"width"`
		Grades      int     `json:"grades"`
		Hats        int     `json:"hats"`
		Bound       float64 `json:"bound"`
		BoundFloat  float64 `json:"bound_float64"`
		Rounding    float64 `json:"float32_adds"`
		Sup         float64 `json:"sup_sampled"`
		Samples     int     `json:"samples"`
		Violations  int     `json:"monotone_violations"`
		Certified   bool    `json:"certified"`
		Certificate string  `json:"certificate"`
		Levels      []level `json:"levels"`
		Output      string  `json:"output,omitempty"`
		Report      string  `json:"report,omitempty"`
	}{c.given.Formula, s.Dim(), s.Mode().String(), s.Width(c.hats), len(s.Grades(c.hats)), s.Hats(), c.bound(s), s.Bound(), s.Rounding(),
		check.Sup, check.Points, check.Violations, s.Certified(), c.given.certificateText(), levels, c.output, c.report})
}

// print prints the result for people.
func (c *construction) print(s *construct.Scheme, check construct.Check) error {
	w := c.out
	fmt.Fprintf(w, "%s on the unit cube of %s\n", c.given.Formula, count(s.Dim(), "dimension", "dimensions"))
	fmt.Fprintf(w, "%s mode, %s in %s of at most %s, %d wide\n\n", s.Mode(), count(s.Hats(), "hat", "hats"),
		count(len(s.Grades(c.hats)), "grade", "grades"), grouped(c.hats), s.Width(c.hats))
	bound := "error at most"
	if c.empirical {
		bound = "estimated error"
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "level\tmesh\thats\t%s\tlargest seen\t\n", bound)
	for j, l := range s.Levels() {
		fmt.Fprintf(t, "%d\t%d\t%s\t%s\t%s\t\n", j+1, l.Mesh, grouped(l.Hats), upward(l.Bound), short(check.Levels[j]))
	}
	t.Flush()
	total := c.bound(s)
	if c.empirical {
		fmt.Fprintf(w, "\nempirical: the error is about %s or less, if the function varies between the points as it does at them\n", upward(total))
	} else {
		fmt.Fprintf(w, "\ncertified: the error is at most %s everywhere, of which float32 adds %s (%s)\n", upward(total), upward(s.Rounding()),
			c.given.certificateText())
	}
	fmt.Fprintf(w, "at %s random points: largest error %s, ", grouped(check.Points), short(check.Sup))
	if s.Mode() == construct.Interpolate {
		fmt.Fprintln(w, "not monotone")
	} else {
		fmt.Fprintf(w, "%s\n", count(check.Violations, "monotonicity violation", "monotonicity violations"))
	}
	if total > c.given.Eps {
		fmt.Fprintf(w, "float32 keeps it above %g; in float64 it is at most %s\n", c.given.Eps, upward(s.Bound()))
	}
	for _, path := range []string{c.output, c.report} {
		if path != "" {
			fmt.Fprintf(w, "wrote %s\n", path)
		}
	}
	return nil
}

// upward writes a bound with three significant digits, rounded up.
func upward(x float64) string { return strconv.FormatFloat(report.RoundUp(x), 'g', -1, 64) }
