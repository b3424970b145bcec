package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/multigrade/multigrade/mgdl"
)

// newEval makes the command mgdl eval.
func newEval() *cobra.Command {
	var sep string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "eval MODEL DATA",
		Short: "Measure a model on a table, after each grade",
		Long: `eval compares predictions with the target column of DATA, after each grade.

Regression: rmse is the root of the mean squared error, mae the mean absolute error,
rse the sum of squared errors over the sum of squared targets, r2 the share of the
variance explained. Classification: accuracy, and log_loss in nats.`,
		Example: `  mgdl eval houses.safetensors test.csv`,
		Args:    exactly("MODEL", "DATA"),
		RunE: func(cmd *cobra.Command, args []string) error {
			comma, err := separator(cmd, sep)
			if err != nil {
				return err
			}
			data := table{args[1], comma, cmd.InOrStdin()}
			if err := data.check(); err != nil {
				return err
			}
			m, err := readModel(args[0])
			if err != nil {
				return err
			}
			d, _, err := data.readFor(m.Schema(), true)
			if err != nil {
				return err
			}
			metrics, err := m.Evaluate(d)
			if err != nil {
				return dataError("%s: %w", data.name(), err)
			}
			if asJSON {
				return evalJSON(cmd.OutOrStdout(), m.Schema().Task, metrics)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n\n", data.name(), count(d.Rows, "row", "rows"))
			return evalTable(cmd.OutOrStdout(), m.Schema().Task, metrics)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	cmd.Flags().StringVar(&sep, "sep", "", sepUsage)
	return cmd
}

// evalTable prints a line for each prefix of grades, the prior first.
func evalTable(w io.Writer, task mgdl.Task, metrics []mgdl.Metrics) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	if task == mgdl.Classification {
		fmt.Fprintln(t, "grade\taccuracy\tlog_loss\t")
	} else {
		fmt.Fprintln(t, "grade\trmse\tmae\trse\tr2\t")
	}
	for _, m := range metrics {
		name := strconv.Itoa(m.Grades)
		if m.Grades == 0 {
			name = "prior"
		}
		if task == mgdl.Classification {
			fmt.Fprintf(t, "%s\t%.4f\t%s\t\n", name, m.Accuracy, short(m.LogLoss))
		} else {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.4f\t\n", name, short(m.RMSE), short(m.MAE), short(m.RSE), m.R2)
		}
	}
	return t.Flush()
}

// evalJSON prints the metrics as one object.
func evalJSON(w io.Writer, task mgdl.Task, metrics []mgdl.Metrics) error {
	type regression struct {
		Grade int    `json:"grade"`
		RMSE  number `json:"rmse"`
		RSE   number `json:"rse"`
		R2    number `json:"r2"`
		MAE   number `json:"mae"`
	}
	type classification struct {
		Grade    int    `json:"grade"`
		Accuracy number `json:"accuracy"`
		LogLoss  number `json:"log_loss"`
	}
	list := make([]any, len(metrics))
	for i, m := range metrics {
		if task == mgdl.Classification {
			list[i] = classification{m.Grades, number(m.Accuracy), number(m.LogLoss)}
		} else {
			list[i] = regression{m.Grades, number(m.RMSE), number(m.RSE), number(m.R2), number(m.MAE)}
		}
	}
	return printJSON(w, struct {
		Rows   int    `json:"rows"`
		Task   string `json:"task"`
		Prior  any    `json:"prior"`
		Grades []any  `json:"grades"`
	}{metrics[0].Rows, task.String(), list[0], list[1:]})
}
