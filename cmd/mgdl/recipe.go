package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/multigrade/multigrade/mgdl"
)

// A recipe is what a model depends on beside the data: flags of mgdl train, which a
// checkpoint carries.
type recipe struct {
	Target   []string `json:"target,omitempty"`
	Task     string   `json:"task"`
	Drop     []string `json:"drop,omitempty"`
	Category []string `json:"category,omitempty"`
	Sep      string   `json:"sep,omitempty"`
	Grades   int      `json:"grades,omitempty"`
	Hidden   []int    `json:"hidden,omitempty"`
	Act      string   `json:"activation,omitempty"`
	Solver   string   `json:"solver,omitempty"`
	Chains   int      `json:"chains,omitempty"`
	Epochs   int      `json:"epochs,omitempty"`
	Batch    int      `json:"batch,omitempty"`
	LR       float64  `json:"lr,omitempty"`
	Val      float64  `json:"val,omitempty"`
	Seed     uint64   `json:"seed"`
}

// defaultRecipe is the one without flags: the library's defaults.
func defaultRecipe() recipe { return recipe{Task: "auto", Seed: 1} }

// flags adds a flag for each field; the field's present value is the default.
func (r *recipe) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("recipe", pflag.ContinueOnError)
	f.SortFlags = false
	f.StringSliceVar(&r.Target, "target", r.Target, "`COLUMN`, or columns A,B to predict (default the last one)")
	f.StringVar(&r.Task, "task", r.Task, "`task`: regress, classify, or auto: classify if the target is not a number")
	f.StringSliceVar(&r.Drop, "drop", r.Drop, "`COLUMN`, or columns A,B to leave out")
	f.StringSliceVar(&r.Category, "category", r.Category, "`COLUMN`, or columns A,B whose numbers are names of categories")
	f.StringVar(&r.Sep, "sep", r.Sep, sepUsage)
	f.IntVar(&r.Grades, "grades", r.Grades, "train `N` network grades, whatever validation says (default up to 3, as long as it gains)")
	f.IntSliceVar(&r.Hidden, "hidden", r.Hidden, "hidden `widths` of each grade (default 64,64)")
	f.StringVar(&r.Act, "activation", r.Act, "`function` of hidden units, relu or sin (default relu)")
	f.StringVar(&r.Solver, "solver", r.Solver, "what fits a grade: adam, or `convex`: a convex program with a certified gap, for regression (default adam)")
	f.IntVar(&r.Chains, "chains", r.Chains, "a grade is the mean of `N` independent networks (default 4 to 8 by rows)")
	f.IntVar(&r.Epochs, "epochs", r.Epochs, "train the first grade for at most `N` passes over the rows (default 20 to 100 by rows)")
	f.IntVar(&r.Batch, "batch", r.Batch, "`rows` per step (default 32 to 256 by rows)")
	f.Float64Var(&r.LR, "lr", r.LR, "highest learning `rate` (default 0.01)")
	f.Float64Var(&r.Val, "val", r.Val, "`share` of the rows each network holds out for validation (default 0.125)")
	f.Uint64Var(&r.Seed, "seed", r.Seed, "`number` every random choice follows from")
	return f
}

// config is what the library makes of the recipe.
func (r recipe) config() mgdl.Config {
	activation := mgdl.ReLU
	if r.Act == mgdl.Sine.String() {
		activation = mgdl.Sine
	}
	if r.Solver == convexSolver {
		return mgdl.Config{Plan: r.convexPlan(), Seed: r.Seed}
	}
	return mgdl.Config{
		Activation: activation,
		Grades:     r.Grades, Hidden: r.Hidden, Chains: r.Chains, Epochs: r.Epochs, Batch: r.Batch,
		LearningRate: r.LR, Validation: r.Val, Seed: r.Seed,
	}
}

// The values of --solver.
const (
	adamSolver   = "adam"
	convexSolver = "convex"
)

// convexPlan is a plan of convex grades, each on the inputs and the units of the one before.
func (r recipe) convexPlan() []mgdl.GradePlan {
	plan := make([]mgdl.GradePlan, cmp.Or(r.Grades, 3))
	for i := range plan {
		plan[i] = mgdl.GradePlan{Hidden: r.Hidden, Carry: true, Normalise: true, Optimiser: mgdl.Convex}
	}
	return plan
}

// arguments are the flags that make this recipe, for a command to show.
func (r recipe) arguments() []string {
	var args []string
	plain := defaultRecipe()
	defaults := plain.flags()
	r.flags().VisitAll(func(f *pflag.Flag) {
		if v := flagText(f); v != flagText(defaults.Lookup(f.Name)) {
			args = append(args, "--"+f.Name, v)
		}
	})
	return args
}

// check returns a usage error for values no recipe can have.
func (r recipe) check(cmd *cobra.Command) error {
	switch r.Task {
	case "auto", "regress", "classify":
	default:
		return usageError(cmd, "--task %s: want auto, regress or classify", r.Task)
	}
	switch r.Act {
	case "", mgdl.ReLU.String(), mgdl.Sine.String():
	default:
		return usageError(cmd, "--activation %s: want relu or sin", r.Act)
	}
	switch r.Solver {
	case "", adamSolver:
	case convexSolver:
		if r.Act == mgdl.Sine.String() || len(r.Hidden) > 1 {
			return usageError(cmd, "--solver convex: a grade has one hidden layer of relu")
		}
		if r.Chains != 0 || r.Epochs != 0 || r.Batch != 0 || r.LR != 0 || r.Val != 0 {
			return usageError(cmd, "--solver convex takes no --chains, --epochs, --batch, --lr and --val")
		}
	default:
		return usageError(cmd, "--solver %s: want adam or convex", r.Solver)
	}
	for _, n := range r.Hidden {
		if n < 1 {
			return usageError(cmd, "--hidden %d: a layer needs at least one unit", n)
		}
	}
	counts := []struct {
		flag string
		n    int
	}{{"grades", r.Grades}, {"chains", r.Chains}, {"epochs", r.Epochs}, {"batch", r.Batch}}
	for _, c := range counts {
		if c.n < 0 {
			return usageError(cmd, "--%s %d: want a positive number", c.flag, c.n)
		}
	}
	if !(r.LR >= 0) {
		return usageError(cmd, "--lr %v: want a positive number", r.LR)
	}
	if !(r.Val >= 0 && r.Val < 1) {
		return usageError(cmd, "--val %v: want a share between 0 and 1", r.Val)
	}
	return nil
}

// configFlag says which flag sets a field of mgdl.Config.
func configFlag(field string) string {
	switch field {
	case "LearningRate":
		return "--lr"
	case "Validation":
		return "--val"
	case "Holdout":
		return "--val-data"
	case "Plan":
		return "--solver"
	}
	return "--" + strings.ToLower(field)
}

// flagText is the value of a flag as a user types it.
func flagText(f *pflag.Flag) string {
	s := f.Value.String()
	if strings.HasSuffix(f.Value.Type(), "Slice") {
		s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	}
	return s
}

// shellCommand joins words into a line for a shell, quoting where needed.
func shellCommand(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		plain := func(r rune) bool {
			return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:,=+@%", r)
		}
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return !plain(r) }) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted[i] = w
	}
	return strings.Join(quoted, " ")
}
