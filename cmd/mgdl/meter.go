package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/multigrade/multigrade/mgdl"
)

// A meter shows on w how far the present grade is: a bar with the time left if w is a
// terminal, otherwise a line when the grade begins.
type meter struct {
	w     io.Writer
	grade int // the one shown last
	bar   *progressbar.ProgressBar
}

// show brings the meter up to date.
func (m *meter) show(p mgdl.Progress) {
	if p.Grade != m.grade {
		m.clear()
		m.grade = p.Grade
		if isTerminal(m.w) && p.Steps > 0 {
			m.bar = progressbar.NewOptions(p.Steps,
				progressbar.OptionSetWriter(m.w),
				progressbar.OptionSetWidth(25),
				progressbar.OptionSetPredictTime(true),
				progressbar.OptionThrottle(100*time.Millisecond),
				progressbar.OptionClearOnFinish(),
			)
		} else {
			fmt.Fprintf(m.w, "training grade %d of at most %d\n", p.Grade, p.GradesMost)
		}
	}
	if m.bar == nil {
		return
	}
	loss := ""
	if !math.IsNaN(p.ValLoss) {
		loss = fmt.Sprintf("  loss %.4f", p.ValLoss)
	}
	m.bar.Describe(fmt.Sprintf("grade %d of at most %d%s", p.Grade, p.GradesMost, loss))
	m.bar.Set(min(p.Step, p.Steps-1)) // the last step would end the bar before the grade is judged
}

// clear takes the bar off the terminal; the next step begins another one.
func (m *meter) clear() {
	m.grade = 0
	if m.bar != nil {
		m.bar.Clear()
		m.bar = nil
	}
}

// isTerminal reports whether somebody watches w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
