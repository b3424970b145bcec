// Package dataset reads tables of comma-separated values, NumPy arrays and pictures into
// what mgdl trains on and predicts from, and writes predictions back. It reads row by row
// and keeps no text beyond the levels of categories.
//
// # Text
//
// A table is UTF-8 text, with or without a byte order mark, with lines that end in LF
// or CRLF. The first line names the columns. Fields may be quoted as in RFC 4180;
// white space around a field does not count; blank lines are skipped, so that a table
// of a single column writes a missing value as "". Every row has as many fields as the
// first line, and at most 8 MiB. A column without a name is left out.
//
// # Kinds
//
// A column of decimal numbers is a number, any other is a category. In a number column
// an empty field is a missing value, and so are, in any case of letters,
//
//	NA  N/A  #N/A  <NA>  NaN  -NaN  null  None  ?
//
// In a category only the empty field is missing: "None" and "NA" are levels there.
// A column of which no cell is anything but missing has no values and is an error.
// An infinite or too large number is an error. The value of a number is the float64
// nearest to its text.
//
// A column in which a few cells are not numbers is a number column with faults, not a
// category. This is so when at most 20 such cells stand against at least 20 numbers and
// are 1 % of them, or 5 % if 20 different numbers occur; when all such cells are
// numbers with commas in them; and when the column has more numbers than texts and too
// many values for a category, which holds at most 1,000 of at most 1,024 bytes.
//
// The levels of a category are sorted bytewise, or by value if all are numbers, in
// which case texts of equal value are one level, written as it was first. The level ""
// comes first if a cell was missing; the raw value of such a cell is NaN.
//
// # Arrays
//
// ReadNPY and ReadNPZ read NumPy arrays by the same rules: NaN is a missing value, an
// infinity an error, and texts make categories. Python objects, complex numbers, times
// and records are refused, and so is an array of more than 1,048,576 columns. Integers
// beyond 2⁵³ are rounded to float64.
//
// # Pictures
//
// ReadImage makes a table of a picture's pixels: from places to intensities, or to
// colours. A picture has at most 67,108,864 pixels.
//
// # Memory
//
// With Options.Packed the rows stay in a form that takes as many bytes a value as its
// column needs: see Packed. A table may have as many rows as then fit in memory, and at
// most 2³¹−1 to train on.
//
// # Errors
//
// Whatever is wrong with the data is reported as *Error or *Errors, with hints that speak
// of the options of the command mgdl: --target, --task, --sep, --drop and --category. A
// failure to read is reported as it came.
package dataset
