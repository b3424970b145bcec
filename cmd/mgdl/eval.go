package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
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
variance explained. Classification: accuracy, and log_loss in nats. Pictures: psnr is
the peak signal-to-noise ratio in decibels, 20 log10(1/rmse).`,
		Example: `  mgdl eval houses.safetensors test.csv
  mgdl eval camera.safetensors camera.png`,
		Args: exactly("MODEL", "DATA"),
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
			picture := dataset.IsImage(m.Schema())
			if asJSON {
				return evalJSON(cmd.OutOrStdout(), m.Schema().Task, picture, metrics)
			}
			rows := count(d.Rows, "row", "rows")
			if picture {
				rows = count(d.Rows, "pixel", "pixels")
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n\n", data.name(), rows)
			return evalTable(cmd.OutOrStdout(), m.Schema().Task, picture, metrics)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	cmd.Flags().StringVar(&sep, "sep", "", sepUsage)
	return cmd
}

// evalTable prints a line for each prefix of grades, the prior first.
func evalTable(w io.Writer, task mgdl.Task, picture bool, metrics []mgdl.Metrics) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	switch {
	case task == mgdl.Classification:
		fmt.Fprintln(t, "grade\taccuracy\tlog_loss\t")
	case picture:
		fmt.Fprintln(t, "grade\tpsnr\trmse\tmae\trse\tr2\t")
	default:
		fmt.Fprintln(t, "grade\trmse\tmae\trse\tr2\t")
	}
	for _, m := range metrics {
		name := strconv.Itoa(m.Grades)
		if m.Grades == 0 {
			name = "prior"
		}
		if task == mgdl.Classification {
			fmt.Fprintf(t, "%s\t%.4f\t%s\t\n", name, m.Accuracy, short(m.LogLoss))
			continue
		}
		if picture {
			name += fmt.Sprintf("\t%.2f", psnr(m))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.4f\t\n", name, short(m.RMSE), short(m.MAE), short(m.RSE), m.R2)
	}
	return t.Flush()
}

// evalJSON prints the metrics as one object.
func evalJSON(w io.Writer, task mgdl.Task, picture bool, metrics []mgdl.Metrics) error {
	type regression struct {
		Grade int     `json:"grade"`
		RMSE  number  `json:"rmse"`
		RSE   number  `json:"rse"`
		R2    number  `json:"r2"`
		MAE   number  `json:"mae"`
		PSNR  *number `json:"psnr,omitempty"`
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
			continue
		}
		line := regression{Grade: m.Grades, RMSE: number(m.RMSE), RSE: number(m.RSE), R2: number(m.R2), MAE: number(m.MAE)}
		if picture {
			decibels := number(psnr(m))
			line.PSNR = &decibels
		}
		list[i] = line
	}
	return printJSON(w, struct {
		Rows   int    `json:"rows"`
		Task   string `json:"task"`
		Prior  any    `json:"prior"`
		Grades []any  `json:"grades"`
	}{metrics[0].Rows, task.String(), list[0], list[1:]})
}

// psnr returns the peak signal-to-noise ratio in decibels, for intensities from 0 to 1; it
// is infinite where nothing is wrong.
func psnr(m mgdl.Metrics) float64 { return -20 * math.Log10(m.RMSE) }
