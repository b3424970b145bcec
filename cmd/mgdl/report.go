package main

import (
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/multigrade/multigrade/cmd/mgdl/report"
	"github.com/multigrade/multigrade/mgdl"
)

// newReport makes the command mgdl report.
func newReport() *cobra.Command {
	var output, sep string
	cmd := &cobra.Command{
		Use:     "report MODEL DATA",
		Short:   "Write a report of a model on a table: one HTML file",
		Long:    `report measures a model on DATA and writes one HTML file that needs no network.`,
		Example: `  mgdl report houses.safetensors test.csv -o houses.html`,
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
			if output == "" {
				output = stem(filepath.Base(args[0])) + ".html"
			}
			if err := checkOutput(output, args[0], data.file()); err != nil {
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
			return writeReport(output, m, d, report.Options{
				Title: stem(filepath.Base(args[0])), DataName: data.name(), ModelPath: args[0],
				Command: shellCommand("mgdl", "report", args[0], args[1], "-o", output),
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to `FILE` (default MODEL's name with .html)")
	cmd.Flags().StringVar(&sep, "sep", "", sepUsage)
	return cmd
}

// writeReport writes the report of m on d to path.
func writeReport(path string, m *mgdl.Model, d mgdl.Data, o report.Options) error {
	if d.Source != nil {
		d.X = make([]float64, d.Rows*len(d.Schema.Features))
		d.Source.ReadRows(d.X, 0)
		d.Source = nil
	}
	return writeAtomic(path, func(w io.Writer) error { return report.Write(w, m, d, o) })
}
