package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// A formula is an expression of numbers. Everything in it is float64, so 1/3 is a third.
type formula struct {
	text string
	dim  int // of the variables that occur: 1 for x, the largest number of x1, x2..
	eval func(x []float64) float64
}

// formulaHelp says what formulas may hold.
const formulaHelp = `numbers, + - * / ^ %, comparisons with and, or, not and "a ? b : c",
pi, e, abs, sqrt, exp, log, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, floor,
ceil, pow, hypot, min and max`

// parseFormula reads an expression in the given variables; nil means x, or x1, x2..
func parseFormula(text string, variables []string) (*formula, error) {
	tree, err := parser.Parse(text)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("the formula %q: %s", text, first)
	}
	c := &formulaCompiler{text: text, variables: variables}
	v, err := c.number(tree.Node)
	if err != nil {
		return nil, err
	}
	if c.plain && c.dim > 1 {
		return nil, fmt.Errorf("the formula %q has both x and numbered variables", text)
	}
	return &formula{text, c.dim, v.eval}, nil
}

type formulaCompiler struct {
	text      string
	variables []string
	dim       int
	plain     bool // x occurs
}

// A value is a compiled expression; a constant one does not look at x.
type value struct {
	eval     func(x []float64) float64
	constant bool
}

func constant(v float64) value { return value{func([]float64) float64 { return v }, true} }

// fold evaluates what only has constant parts.
func fold(eval func(x []float64) float64, parts ...value) value {
	for _, p := range parts {
		if !p.constant {
			return value{eval, false}
		}
	}
	return constant(eval(nil))
}

func (c *formulaCompiler) wrong(n ast.Node, format string, args ...any) error {
	return fmt.Errorf("the formula %q, column %d: "+format, append([]any{c.text, n.Location().From + 1}, args...)...)
}

// number compiles an expression whose value is a number.
func (c *formulaCompiler) number(n ast.Node) (value, error) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return constant(float64(n.Value)), nil
	case *ast.FloatNode:
		return constant(n.Value), nil
	case *ast.IdentifierNode:
		return c.variable(n)
	case *ast.UnaryNode:
		v, err := c.number(n.Node)
		switch {
		case err != nil || n.Operator == "+":
			return v, err
		case n.Operator == "-":
			return fold(func(x []float64) float64 { return -v.eval(x) }, v), nil
		}
		return value{}, c.wrong(n, "%q is no number", n.Operator)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		condition, err := c.truth(n.Cond)
		if err != nil {
			return value{}, err
		}
		yes, err := c.number(n.Exp1)
		if err != nil {
			return value{}, err
		}
		no, err := c.number(n.Exp2)
		return value{func(x []float64) float64 {
			if condition(x) {
				return yes.eval(x)
			}
			return no.eval(x)
		}, false}, err
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(n, name.Value, n.Arguments)
		}
	}
	return value{}, c.wrong(n, "this is no number; a formula may hold %s", strings.ReplaceAll(formulaHelp, "\n", " "))
}

func (c *formulaCompiler) variable(n *ast.IdentifierNode) (value, error) {
	switch n.Value {
	case "pi":
		return constant(math.Pi), nil
	case "e":
		return constant(math.E), nil
	}
	at := -1
	if c.variables == nil {
		if n.Value == "x" {
			at, c.plain = 0, true
		} else if digits, ok := strings.CutPrefix(n.Value, "x"); ok {
			if i, err := strconv.Atoi(digits); err == nil && i >= 1 && strconv.Itoa(i) == digits {
				at = i - 1
			}
		}
	}
	for i, name := range c.variables {
		if n.Value == name {
			at = i
		}
	}
	if at < 0 {
		return value{}, c.wrong(n, "%q is not known", n.Value)
	}
	c.dim = max(c.dim, at+1)
	return value{func(x []float64) float64 { return x[at] }, false}, nil
}

func (c *formulaCompiler) binary(n *ast.BinaryNode) (value, error) {
	operators := map[string]func(a, b float64) float64{
		"+": func(a, b float64) float64 { return a + b },
		"-": func(a, b float64) float64 { return a - b },
		"*": func(a, b float64) float64 { return a * b },
		"/": func(a, b float64) float64 { return a / b },
		"%": math.Mod, "^": math.Pow, "**": math.Pow,
	}
	f, ok := operators[n.Operator]
	if !ok {
		return value{}, c.wrong(n, "%q makes no number", n.Operator)
	}
	a, err := c.number(n.Left)
	if err != nil {
		return value{}, err
	}
	b, err := c.number(n.Right)
	if err != nil {
		return value{}, err
	}
	if (n.Operator == "^" || n.Operator == "**") && b.constant && b.eval(nil) == 2 {
		return fold(func(x []float64) float64 { v := a.eval(x); return v * v }, a), nil
	}
	return fold(func(x []float64) float64 { return f(a.eval(x), b.eval(x)) }, a, b), nil
}

func (c *formulaCompiler) call(n ast.Node, name string, arguments []ast.Node) (value, error) {
	one := map[string]func(float64) float64{
		"abs": math.Abs, "sqrt": math.Sqrt, "exp": math.Exp, "log": math.Log, "sin": math.Sin, "cos": math.Cos, "tan": math.Tan,
		"asin": math.Asin, "acos": math.Acos, "atan": math.Atan, "sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh,
		"floor": math.Floor, "ceil": math.Ceil,
	}
	two := map[string]func(a, b float64) float64{"pow": math.Pow, "hypot": math.Hypot}
	many := map[string]func(a, b float64) float64{"min": math.Min, "max": math.Max}
	parts := make([]value, len(arguments))
	for i, a := range arguments {
		var err error
		if parts[i], err = c.number(a); err != nil {
			return value{}, err
		}
	}
	want := ""
	switch {
	case one[name] != nil:
		if f := one[name]; len(parts) == 1 {
			a := parts[0]
			return fold(func(x []float64) float64 { return f(a.eval(x)) }, a), nil
		}
		want = "one argument"
	case two[name] != nil:
		if f := two[name]; len(parts) == 2 {
			a, b := parts[0], parts[1]
			return fold(func(x []float64) float64 { return f(a.eval(x), b.eval(x)) }, a, b), nil
		}
		want = "two arguments"
	case many[name] != nil:
		if f := many[name]; len(parts) > 0 {
			return fold(func(x []float64) float64 {
				v := parts[0].eval(x)
				for _, p := range parts[1:] {
					v = f(v, p.eval(x))
				}
				return v
			}, parts...), nil
		}
		want = "arguments"
	default:
		return value{}, c.wrong(n, "the function %q is not known", name)
	}
	return value{}, c.wrong(n, "%s takes %s, not %d", name, want, len(parts))
}

// truth compiles a condition.
func (c *formulaCompiler) truth(n ast.Node) (func(x []float64) bool, error) {
	switch n := n.(type) {
	case *ast.BoolNode:
		return func([]float64) bool { return n.Value }, nil
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			f, err := c.truth(n.Node)
			return func(x []float64) bool { return !f(x) }, err
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&", "or", "||":
			a, err := c.truth(n.Left)
			if err != nil {
				return nil, err
			}
			b, err := c.truth(n.Right)
			if n.Operator == "and" || n.Operator == "&&" {
				return func(x []float64) bool { return a(x) && b(x) }, err
			}
			return func(x []float64) bool { return a(x) || b(x) }, err
		}
		compare := map[string]func(a, b float64) bool{
			"<": func(a, b float64) bool { return a < b }, "<=": func(a, b float64) bool { return a <= b },
			">": func(a, b float64) bool { return a > b }, ">=": func(a, b float64) bool { return a >= b },
			"==": func(a, b float64) bool { return a == b }, "!=": func(a, b float64) bool { return a != b },
		}
		if f, ok := compare[n.Operator]; ok {
			a, err := c.number(n.Left)
			if err != nil {
				return nil, err
			}
			b, err := c.number(n.Right)
			return func(x []float64) bool { return f(a.eval(x), b.eval(x)) }, err
		}
	}
	return nil, c.wrong(n, "this is no condition")
}
