package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/multigrade/multigrade/kernel"
)

// newKernels makes the command mgdl kernels.
func newKernels() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "kernels",
		Short: "Show which implementations run here, and which is selected",
		Long: `kernels shows the implementations of the numeric kernels that this build and this CPU
can run. All of them give the same bits. MGDL_KERNEL=NAME selects one for a process.`,
		Example: `  mgdl kernels
  MGDL_KERNEL=generic mgdl kernels`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, args []string) error {
			s := kernel.Selected()
			if asJSON {
				err := printJSON(cmd.OutOrStdout(), struct {
					Selected  string   `json:"selected"`
					Why       string   `json:"why"`
					Available []string `json:"available"`
					Features  []string `json:"features"`
					Requested string   `json:"requested,omitempty"`
					Honored   bool     `json:"honored"`
				}{s.Name, why(s), s.Available, append([]string{}, s.Features...), s.Requested, s.Honored})
				if err != nil {
					return err
				}
				return checkKernel()
			}
			w := cmd.OutOrStdout()
			features := strings.Join(s.Features, " ")
			if features == "" {
				features = "none looked at in this build"
			}
			fmt.Fprintf(w, "selected   %s\n", s.Name)
			fmt.Fprintf(w, "because    %s\n", why(s))
			fmt.Fprintf(w, "available  %s\n", strings.Join(s.Available, " "))
			fmt.Fprintf(w, "features   %s\n", features)
			for _, line := range absent(s) {
				fmt.Fprintf(w, "not here   %s\n", line)
			}
			fmt.Fprintf(w, "platform   %s/%s\n", runtime.GOOS, runtime.GOARCH)
			return checkKernel()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// why says how the choice was made.
func why(s kernel.Selection) string {
	switch {
	case s.Requested == "" && len(s.Available) == 1:
		return "it is the only one that runs here"
	case s.Requested == "":
		return "it is the fastest that runs here"
	case s.Honored:
		return "MGDL_KERNEL=" + s.Requested
	}
	return "MGDL_KERNEL=" + s.Requested + " is not available here; without it the fastest is taken"
}

// absent says of each implementation that cannot run here what it wants.
func absent(s kernel.Selection) []string {
	implementations := []struct{ name, arch, features string }{
		{"avx512", "amd64", "a CPU with AVX-512 F, BW, DQ and VL"},
		{"avx2", "amd64", "a CPU with AVX2 and FMA"},
		{"neon", "arm64", "Advanced SIMD"},
	}
	var lines []string
	for _, i := range implementations {
		switch {
		case slices.Contains(s.Available, i.name):
		case i.arch != runtime.GOARCH:
			lines = append(lines, i.name+": needs "+i.arch)
		default:
			lines = append(lines, i.name+": needs "+i.features+", and a build without the tags purego and noasm")
		}
	}
	return lines
}
