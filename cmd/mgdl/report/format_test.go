package report

import (
	"math"
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		show func(float64) string
		x    float64
		want string
	}{
		{num, 0, "0"}, {num, 1, "1"}, {num, -43, "−43"}, {num, 0.25, "0.2500"}, {num, 3.14159, "3.142"}, {num, 999.96, "1,000"}, {num, 0.99996, "1.000"}, {num, 9.9999, "10.00"}, {num, 999.94, "999.9"},
		{num, 1234.56, "1,235"}, {num, 215000, "215,000"}, {num, 31234567, "31.23M"}, {num, 1.5e12, "1.50e12"}, {num, 0.000303, "3.03e−4"},
		{num, -1e-30, "−1.00e−30"}, {num, math.NaN(), none}, {num, math.Inf(-1), "−∞"}, {num, 0.001, "0.001000"},
		{share, 0, "0 %"}, {share, 1, "100 %"}, {share, 0.992, "99.2 %"}, {share, 0.8, "80.0 %"}, {share, 0.99996, "99.996 %"},
		{share, 0.9999999, "99.9999 %"}, {share, 0.00671, "0.67 %"}, {share, 0.0671, "6.7 %"}, {share, 1e-9, "< 0.0001 %"}, {share, -0.5, "−50.0 %"},
		{share, 2.29, "229.0 %"}, {share, math.NaN(), none}, {share, math.Inf(1), none}, {share, 0.5000000001, "50.0 %"},
		{r2, 0.99362, "0.99362"}, {r2, 0.934, "0.9340"}, {r2, 1, "1"}, {r2, -6.66e-6, "0"}, {r2, 0.5, "0.5000"}, {r2, math.NaN(), none},
		{nanos, 0, none}, {nanos, 89.94, "89.9 ns"}, {nanos, 999, "999 ns"}, {nanos, 1634, "1.63 µs"}, {nanos, 22.8e6, "22.8 ms"}, {nanos, math.NaN(), none},
		{short, 1000, "1,000"}, {short, 0.03, "0.03"}, {short, 1e-6, "1e−6"}, {short, 2.5, "2.5"}, {short, 1.5e-5, "1.5e−5"}, {short, 1e5, "1e5"},
		{raw, 0.1, "0.1"}, {raw, 4676, "4676"},
	} {
		if got := strings.ReplaceAll(c.show(c.x), nbsp, " "); got != c.want {
			t.Errorf("%v is shown as %q, want %q", c.x, got, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		plural(1, "row"): "1 row", plural(2930, "row"): "2,930 rows", plural(2, "category"): "2 categories", plural(3, "class"): "3 classes",
		list(nil): "nothing", list([]string{"a"}): "a", list([]string{"a", "b", "c"}): "a, b and c", list([]string{"a", "b", "c", "d"}): "a, b and 2 more",
		label("two\nlines\x00", 40): "two lines", label("", 9): "(empty)", label("abcdefghij", 5): "abcd…", label("\u202ex\xff", 9): "x\ufffd",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		n      int
		want   string
	}{
		{0, 1.1, 5, "0 0.2 0.4 0.6 0.8 1.0"}, {-0.3, 4, 4, "0 1 2 3 4"}, {0, 230000, 4, "0 50k 100k 150k 200k"}, {0, 3.4e6, 4, "0 1M 2M 3M"},
		{1950, 2012, 4, "1,960 1,980 2,000"}, {-1e-7, 1e-7, 2, "−1.0e−7 0 1.0e−7"}, {3, 3, 4, ""}, {0, 2e-3, 4, "0 0.0005 0.0010 0.0015 0.0020"},
	} {
		var got []string
		for _, k := range (linear{c.n}).Ticks(c.lo, c.hi) {
			got = append(got, k.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("from %v to %v: %s, want %s", c.lo, c.hi, s, c.want)
		}
	}
	for _, c := range []struct{ lo, hi, least, most float64 }{{-6, 0, 3, 8}, {-0.1, 0.1, 2, 8}, {-30, 3, 3, 8}, {0.3, 1.5, 3, 8}, {0, 1e-6, 0, 8}} {
		if n := float64(len(logarithmic{short}.Ticks(c.lo, c.hi))); n < c.least || n > c.most {
			t.Errorf("%v logarithmic ticks from %v to %v", n, c.lo, c.hi)
		}
	}
}

func TestSample(t *testing.T) {
	for _, c := range []struct{ n, most, want int }{{0, 5, 0}, {3, 5, 3}, {5, 5, 5}, {1000, 7, 7}} {
		at := sample(c.n, c.most)
		if len(at) != c.want {
			t.Errorf("%d of %d, want %d", len(at), c.n, c.want)
		}
		for i := 1; i < len(at); i++ {
			if at[i] <= at[i-1] || at[i] >= c.n {
				t.Errorf("sample %v", at)
			}
		}
	}
	if g := shownGrades(9, 3); len(g) != 3 || g[0] != 1 || g[2] != 9 {
		t.Errorf("grades %v", g)
	}
}
