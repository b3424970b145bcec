package convex

import (
	"fmt"
	"math"
)

// A Scope says among what a solution is optimal up to its gap.
type Scope uint8

const (
	// ForGates: among all coefficients of these gates, and these only.
	ForGates Scope = iota
	// Global: among all ReLU networks with one hidden layer, of any width and with any
	// weights, whose units serve one output each.
	Global
)

// String returns "optimal for this gate set" or "global".
func (s Scope) String() string {
	if s == Global {
		return "global"
	}
	return "optimal for this gate set"
}

// A Certificate says how far a solution may be from the optimum of its program.
type Certificate struct {
	Lambda     float64 // the penalty
	LambdaMax  float64 // from which on zero coefficients are optimal
	Zero       float64 // P(0), the objective of zero coefficients
	Primal     float64 // P, the objective of the solution
	Dual       float64 // D, which no objective is below
	Iterations int
	Scope      Scope
}

// Gap returns P − D, or 0 where rounding makes that negative.
func (c Certificate) Gap() float64 { return max(c.Primal-c.Dual, 0) }

// Relative returns the gap as a share of P(0); 0 if that is 0.
func (c Certificate) Relative() float64 {
	if c.Zero == 0 {
		return 0
	}
	return c.Gap() / c.Zero
}

// String says all of it in a line.
func (c Certificate) String() string {
	return fmt.Sprintf("P %.6g, D %.6g, gap %.2g of P(0), λ %.3g of λmax, %d iterations, %s",
		c.Primal, c.Dual, c.Relative(), c.Lambda/c.LambdaMax, c.Iterations, c.Scope)
}

// Options bound a solve. The zero value is usable.
type Options struct {
	Tolerance  float64           // gap to stop at, as a share of P(0); 0 means 1e-3
	Iterations int               // most iterations (of each output, in the ReLU program); 0 means 20000
	Progress   func(Certificate) // called from time to time
}

func (o Options) withDefaults() Options {
	if o.Tolerance == 0 {
		o.Tolerance = 1e-3
	}
	if o.Iterations == 0 {
		o.Iterations = 20000
	}
	return o
}

func checkPenalty(lambda float64) error {
	if !(lambda > 0) || math.IsInf(lambda, 0) {
		return fmt.Errorf("convex: penalty %v is not above 0", lambda)
	}
	return nil
}

// dual returns the largest D(s) = s·⟨R,Y⟩/n − s²·⟨R,R⟩/(2n) with |s|·κ ≤ λ, from ⟨R,Y⟩/n and
// ⟨R,R⟩/n.
func dual(ry, rr, kappa, lambda float64) float64 {
	if rr == 0 {
		return 0
	}
	s := ry / rr
	if most := lambda / kappa; math.Abs(s) > most {
		s = math.Copysign(most, s)
	}
	return float64(s*ry) - float64(0.5*float64(float64(s*s)*rr))
}
