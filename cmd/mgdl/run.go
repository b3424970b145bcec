package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
)

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitData        = 3
	exitModel       = 4
	exitInterrupted = 130 // what shells report for a process that SIGINT ended
)

// run is the whole command: it does what args ask for and returns the exit code.
// Results go to stdout, progress and errors to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &stickyWriter{w: stdout}
	root := newRoot()
	root.SetArgs(append([]string{}, args...)) // cobra takes nil for "use os.Args"
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil && out.err != nil {
		err = fmt.Errorf("standard output: %w", out.err)
	}
	if err == nil {
		return exitDone
	}
	for line := range strings.Lines(errorText(err)) {
		fmt.Fprintf(stderr, "mgdl: %s\n", strings.TrimRight(line, "\n"))
	}
	return exitCode(err)
}

// newRoot makes the command tree. Each command stands in a file of its own.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "mgdl",
		Short: "Train and use multigrade neural networks",
		Long: `mgdl trains multigrade neural networks on tables and predicts with them.

A multigrade network is a sum of small networks, coarse to fine: each grade learns
what the grades before it left over, and every prefix is a model in itself. Training
and prediction give the same bits on every CPU and for any number of workers.

DATA is a .csv or .tsv file with a header row, a .npy array of rows and columns, a .npz
archive of arrays x and y, a .png, .jpg, .gif or .tif picture (its pixels: from places
to intensities), - for CSV on standard input, or one of the tables that come with the
command: demo:chirp, demo:diabetes, demo:iris.`,
		Example: `  mgdl demo                                  a first look, on data that comes along
  mgdl train houses.csv --target price       writes houses.safetensors
  mgdl eval houses.safetensors test.csv      errors after each grade
  mgdl predict houses.safetensors new.csv    CSV on standard output
  mgdl predict houses.safetensors - < new.csv`,
		Version:       buildVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := ""
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				hint = fmt.Sprintf(" (did you mean %q?)", near[0])
			}
			return usageError(cmd, "unknown command %q%s", args[0], hint)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Name() == "kernels" || cmd.Name() == "help" || cmd.HasParent() && cmd.Parent().Name() == "completion" {
				return nil // kernels shows its table first; the others run no kernel
			}
			return checkKernel()
		},
		SuggestionsMinimumDistance: 2,
	}
	root.SetVersionTemplate("mgdl {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError(cmd, "%w", err) })
	root.SetHelpCommandGroupID("more")
	root.SetCompletionCommandGroupID("more")
	groups := []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"use", "Train and use models:", []*cobra.Command{newDemo(), newTrain(), newConstruct(), newEval(), newPredict(), newReport()}},
		{"look", "Look at a model file:", []*cobra.Command{newInspect(), newVerify()}},
		{"machine", "Look at this machine:", []*cobra.Command{newKernels(), newSelftest()}},
		{"more", "More:", []*cobra.Command{newReproduce(), newVersion()}},
	}
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	return root
}

// checkKernel returns a usage error if MGDL_KERNEL names an implementation that cannot
// run here: a benchmark or an audit must never run on another one in silence.
func checkKernel() error {
	s := kernel.Selected()
	if s.Requested == "" || s.Honored {
		return nil
	}
	return &failure{exitUsage, fmt.Errorf("MGDL_KERNEL=%s: not available here (available: %s)",
		s.Requested, strings.Join(s.Available, ", "))}
}

// A failure is an error that knows its exit code.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usageError says what is wrong with the command line and where to read on.
func usageError(cmd *cobra.Command, format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format+"; see %s --help", append(args, cmd.CommandPath())...)}
}

// exitCode returns the exit code err deserves.
func exitCode(err error) int {
	var f *failure
	var config *mgdl.ConfigError
	var cell *dataset.Error
	var cells *dataset.Errors
	switch {
	case errors.As(err, &f):
		return f.code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &config):
		return exitUsage
	case errors.As(err, &cell), errors.As(err, &cells):
		return exitData
	case errors.Is(err, mgdl.ErrFormat), errors.Is(err, mgdl.ErrVersion):
		return exitModel
	}
	return exitFailed
}

// errorText is what the user reads of err, without the prefix that libraries give: a
// line for each fault, and hints after it in brackets, after several in lines of their own.
func errorText(err error) string {
	if f := (*failure)(nil); errors.Is(err, context.Canceled) && !errors.As(err, &f) {
		return "interrupted"
	}
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "mgdl: ", "")
	hints := dataset.Hints(err)
	switch {
	case len(hints) == 0:
	case strings.Contains(text, "\n"):
		text += "\nhint: " + strings.Join(hints, "\nhint: ")
	default:
		text += " (" + strings.Join(hints, "; ") + ")"
	}
	return text
}

// exactly returns an argument check that names what is missing.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usageError(cmd, "%s is missing", names[len(args)])
		case len(args) > len(names):
			return usageError(cmd, "unexpected argument %q", args[len(names)])
		}
		return nil
	}
}

// interruptible returns a context that the first Ctrl-C or SIGTERM ends; the second
// one kills the process, as without this call.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// A contextReader reads from r until the context ends: a read that blocks, as on an idle
// pipe, is then left behind with its buffer and the reader must not be used again.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := c.r.Read(p)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		return r.n, r.err
	case <-c.ctx.Done():
		return 0, c.ctx.Err()
	}
}

// A stickyWriter writes to w until the first error, which it keeps, so that commands
// may print without looking and none loses its output in silence.
type stickyWriter struct {
	w   io.Writer
	err error
}

func (s *stickyWriter) Write(p []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.w.Write(p)
	}
	return len(p), s.err
}
