package main

// A claim is a function with what is known of it, as flags say it: see construct.Certificate.
type claim struct {
	Name      string   `json:"name,omitempty"`
	Formula   string   `json:"formula"`
	Dim       int      `json:"dim"`
	Eps       float64  `json:"eps"`
	Lipschitz float64  `json:"lipschitz,omitempty"`
	Curvature float64  `json:"curvature,omitempty"`
	Modulus   string   `json:"modulus,omitempty"` // in h
	Min       *float64 `json:"min,omitempty"`
	Max       *float64 `json:"max,omitempty"`
	Noise     float64  `json:"noise,omitempty"`
	Why       string   `json:"why,omitempty"` // where the certificate comes from
}

// gallery returns the functions that construct knows by name, from smooth to merely continuous.
func gallery() []claim {
	const piSquared = 9.8697 // rounded up
	return []claim{
		{Name: "waves", Formula: "sin(2*pi*x) + 0.5*sin(6*pi*x)", Dim: 1, Eps: 1e-4, Curvature: 217.14, Min: new(-1.5),
			Why: "|f''| ≤ 4π² + 18π²"},
		{Name: "runge", Formula: "1/(1 + 25*(2*x-1)^2)", Dim: 1, Eps: 1e-4, Curvature: 200, Min: new(0.0),
			Why: "1/(1+25y²) bends most at 0, by 50, and y = 2x−1"},
		{Name: "kinks", Formula: "abs(x - 1/3) + 0.3*abs(5*x % 1 - 0.5)", Dim: 1, Eps: 5e-3, Lipschitz: 2.5,
			Why: "slopes 1 and 0.3·5"},
		{Name: "root", Formula: "sqrt(abs(x - 0.4))", Dim: 1, Eps: 0.05, Modulus: "sqrt(h)",
			Why: "√ is its own modulus; no slope bounds it"},
		{Name: "logarithm", Formula: "x > 0 ? 1/(2 - log(x)) : 0", Dim: 1, Eps: 0.2, Modulus: "1/(2 - log(h))",
			Why: "concave from 0, so its own modulus; continuous, but slower than every power"},
		{Name: "saddle", Formula: "sin(pi*x1)*cos(pi*x2) + 0.2*x1", Dim: 2, Eps: 1e-3, Curvature: piSquared, Min: new(-1.0),
			Why: "the Hessian has the eigenvalues −π² sin π(x1±x2)"},
		{Name: "bump", Formula: "exp(-8*((x1-0.4)^2 + (x2-0.6)^2))", Dim: 2, Eps: 1e-3, Curvature: 16, Min: new(0.0),
			Why: "bends most at its top, by 2·8"},
		{Name: "cone", Formula: "hypot(x1 - 0.5, x2 - 0.3)", Dim: 2, Eps: 0.02, Lipschitz: 1, Why: "a distance"},
		{Name: "bridge", Formula: "min(x1, x2) - x1*x2", Dim: 2, Eps: 0.02, Lipschitz: 1, Why: "partial derivatives 1−x and −x"},
		{Name: "spire", Formula: "sqrt(max(abs(x1 - 0.4), abs(x2 - 0.4)))", Dim: 2, Eps: 0.25, Modulus: "sqrt(h)",
			Why: "the root of a distance"},
		{Name: "product", Formula: "sin(pi*x1)*sin(pi*x2)*sin(pi*x3)", Dim: 3, Eps: 0.01, Curvature: piSquared, Min: new(0.0),
			Why: "a mean of four waves whose directions are orthogonal"},
		{Name: "plane wave", Formula: "sin(x1 + 2*x2 + 3*x3)", Dim: 3, Eps: 0.02, Curvature: 14, Min: new(-1.0),
			Why: "the Hessian is −sin·vvᵀ with |v|² = 14"},
		{Name: "ridges", Formula: "(abs(sin(7*x1)) + abs(sin(7*x2)) + abs(sin(7*x3)))/21", Dim: 3, Eps: 0.06, Lipschitz: 0.33333334,
			Why: "each term has slope 7/21"},
		{Name: "distance", Formula: "sqrt(x1^2 + x2^2 + x3^2)", Dim: 3, Eps: 0.15, Lipschitz: 1, Why: "a distance"},
	}
}
