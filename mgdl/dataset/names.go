package dataset

import (
	"cmp"
	"slices"
	"strings"
)

// unknownColumn is the fault that a table lacks the column name; have are its columns.
func unknownColumn(file, name, msg string, have []string) *Error {
	return &Error{File: file, Msg: msg, Hint: didYouMean(name, "the columns are ", have)}
}

// didYouMean suggests the names nearest to name, or lists all if none is near.
func didYouMean(name, intro string, have []string) string {
	have = slices.DeleteFunc(slices.Clone(have), func(s string) bool { return s == "" })
	if near := nearest(name, have); len(near) > 0 {
		return "did you mean " + quoteList(near, 3, "or") + "?"
	}
	if len(have) == 0 {
		return ""
	}
	return intro + quoteList(have, 10, "and")
}

// nearest returns the at most three names that could be meant by name, best first: those
// a few edits away, and those that contain it or are contained in it.
func nearest(name string, have []string) []string {
	const longest = 100 // of a name worth comparing; the cost grows with the square
	type candidate struct {
		name string
		cost int
	}
	var list []candidate
	want := []rune(strings.ToLower(name))
	for _, h := range have {
		if len(h) > longest || len(want) > longest {
			continue
		}
		low := strings.ToLower(h)
		got := []rune(low)
		d := edits(want, got)
		short := min(len(want), len(got))
		inside := short >= 3 &&
			(strings.Contains(low, string(want)) || strings.Contains(string(want), low))
		if d <= max(1, short/3) && d < short || inside {
			list = append(list, candidate{h, d})
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(a.cost, b.cost) })
	var names []string
	for _, c := range list[:min(len(list), 3)] {
		names = append(names, c.name)
	}
	return names
}

// edits is the number of insertions, deletions, replacements and exchanges of
// neighbours that make a into b.
func edits(a, b []rune) int {
	// Row i of the table holds the distances from a[:i] to every prefix of b.
	before := make([]int, len(b)+1)
	above := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			d := above[j]
			if a[i] != b[j] {
				d++
			}
			d = min(d, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = d
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
