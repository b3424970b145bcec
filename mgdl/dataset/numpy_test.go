package dataset

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

// npy is the file of an array; data is written in little-endian order.
func npy(t testing.TB, descr, order, shape string, data any) []byte {
	t.Helper()
	var b bytes.Buffer
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order, shape)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	b.WriteString("\x93NUMPY\x01\x00")
	require.NoError(t, binary.Write(&b, binary.LittleEndian, uint16(len(header))))
	b.WriteString(header)
	require.NoError(t, binary.Write(&b, binary.LittleEndian, data))
	return b.Bytes()
}

// npz is an archive of arrays, given as a name and a file in turn.
func npz(t testing.TB, entries ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.Create(entries[i].(string) + ".npy")
		require.NoError(t, err)
		_, err = w.Write(entries[i+1].([]byte))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

func readNPZ(file []byte, o Options) (mgdl.Data, Info, error) {
	return ReadNPZ(bytes.NewReader(file), int64(len(file)), "a.npz", o)
}

// Every element type is read as its numbers.
func TestReadNPYTypes(t *testing.T) {
	for _, c := range []struct {
		descr string
		data  any
		want  string
	}{
		{"<f8", []float64{1.5, math.NaN(), -3, 4, 5, 6}, "1.5 NaN|4 5"},
		{"<f4", []float32{0.1, 2, 3, 4, 5, 6}, "0.10000000149011612 2|4 5"},
		{"<f2", []uint16{0x3c00, 0xc000, 0, 0x0001, 0x7bff, 0x3555}, "1 -2|5.960464477539063e-08 65504"},
		{"<i8", []int64{-1 << 53, 2, 3, 4, 5, 6}, "-9.007199254740992e+15 2|4 5"},
		{"<i4", []int32{-1, 2, 3, 4, 5, 6}, "-1 2|4 5"},
		{"<i2", []int16{-300, 2, 3, 4, 5, 6}, "-300 2|4 5"},
		{"|i1", []int8{-1, 2, 3, 4, 5, 6}, "-1 2|4 5"},
		{"|u1", []uint8{255, 2, 3, 4, 5, 6}, "255 2|4 5"},
		{"<u2", []uint16{65535, 2, 3, 4, 5, 6}, "65535 2|4 5"},
		{"<u4", []uint32{1 << 31, 2, 3, 4, 5, 6}, "2.147483648e+09 2|4 5"},
		{"<u8", []uint64{1 << 63, 2, 3, 4, 5, 6}, "9.223372036854776e+18 2|4 5"},
		{"|b1", []uint8{1, 0, 0, 0, 1, 1}, "1 0|0 1"},
		{">i4", []uint32{0x01000000, 0x02000000, 3, 4, 0x05000000, 6}, "1 2|6.7108864e+07 5"},
	} {
		t.Run(c.descr, func(t *testing.T) {
			d, info, err := ReadNPY(iotest.HalfReader(bytes.NewReader(npy(t, c.descr, "False", "(2, 3)", c.data))), "a.npy", Options{})
			require.NoError(t, err)
			require.Equal(t, c.want, show(d.X, 2))
			require.Equal(t, []mgdl.Column{{Name: "x0"}, {Name: "x1"}}, d.Schema.Features)
			require.Equal(t, "x2", d.Schema.Targets[0].Name)
			checkData(t, d, info)
		})
	}
}

// An array whose first index runs fastest is the same table.
func TestReadNPYOrder(t *testing.T) {
	rows, _, err := ReadNPY(bytes.NewReader(npy(t, "<f8", "False", "(2, 3)", []float64{1, 2, 3, 4, 5, 6})), "a.npy", Options{})
	require.NoError(t, err)
	columns, _, err := ReadNPY(bytes.NewReader(npy(t, "<f8", "True", "(2, 3)", []float64{1, 4, 2, 5, 3, 6})), "a.npy", Options{})
	require.NoError(t, err)
	require.Equal(t, rows, columns)

	// In an archive, what follows the first axis are the columns: x[row, i, j] is column 2i + j.
	x := npy(t, "<f8", "True", "(3, 2, 2)", []float64{0, 100, 200, 10, 110, 210, 1, 101, 201, 11, 111, 211})
	y := npy(t, "<f8", "False", "(3,)", []float64{1, 2, 4})
	d, _, err := readNPZ(npz(t, "x", x, "y", y), Options{})
	require.NoError(t, err)
	require.Equal(t, "0 1 10 11|100 101 110 111|200 201 210 211", show(d.X, 4))
}

// The target of an archive decides the task.
func TestReadNPZ(t *testing.T) {
	x := npy(t, "<f4", "False", "(6, 2)", []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	labels := make([]uint32, 6*4)
	for i, w := range []string{"cat", "dog", "cat", "dog", "ox", "ox"} {
		for j, c := range w {
			labels[4*i+j] = uint32(c)
		}
	}
	for _, c := range []struct {
		name  string
		file  []byte
		o     Options
		task  mgdl.Task
		names string
		y     string
		label string
	}{
		{"Integers", npz(t, "y", npy(t, "<i8", "False", "(6,)", []int64{3, 1, 3, 1, 7, 7}), "x", x), Options{}, mgdl.Classification, "y", "1|0|1|0|2|2", "1 3 7"},
		{"IntegersAsNumbers", npz(t, "y", npy(t, "<i8", "False", "(6,)", []int64{3, 1, 3, 1, 7, 7}), "x", x), Options{Task: "regress"}, mgdl.Regression, "y", "3|1|3|1|7|7", ""},
		{"ManyIntegers", npz(t, "y", npy(t, "<i8", "False", "(6,)", []int64{1, 2, 3, 4, 5, 5}), "x", x), Options{}, mgdl.Regression, "y", "1|2|3|4|5|5", ""},
		{"Booleans", npz(t, "X_train", x, "y_train", npy(t, "|b1", "False", "(6,)", []uint8{1, 0, 1, 0, 0, 0})), Options{}, mgdl.Classification, "y", "1|0|1|0|0|0", "0 1"},
		{"Floats", npz(t, "x_train", x, "y_train", npy(t, "<f8", "False", "(6,)", []float64{1, 0, 1, 0, 0, 0})), Options{}, mgdl.Regression, "y", "1|0|1|0|0|0", ""},
		{"Texts", npz(t, "data", x, "target", npy(t, "<U4", "False", "(6,)", labels)), Options{}, mgdl.Classification, "y", "0|1|0|1|2|2", "cat dog ox"},
		{"Two", npz(t, "x", x, "y", npy(t, "<f8", "False", "(6, 2)", []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})), Options{}, mgdl.Regression, "y0 y1", "1 2|3 4|5 6|7 8|9 10|11 12", ""},
		{"OneOfTwo", npz(t, "x", x, "y", npy(t, "<f8", "False", "(6, 2)", []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})), Options{Target: []string{"y1"}}, mgdl.Regression, "y1", "2|4|6|8|10|12", ""},
		{"Single", npz(t, "arr_0", x), Options{}, mgdl.Regression, "x1", "2|4|6|8|10|12", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, info, err := readNPZ(c.file, c.o)
			require.NoError(t, err)
			checkData(t, d, info)
			require.Equal(t, c.task, d.Schema.Task)
			var names []string
			for _, target := range d.Schema.Targets {
				names = append(names, target.Name)
			}
			require.Equal(t, c.names, strings.Join(names, " "))
			require.Equal(t, c.label, strings.Join(d.Schema.Targets[0].Levels, " "))
			require.Equal(t, c.y, show(d.Y, len(names)))

			again, err := ReadNPZFor(bytes.NewReader(c.file), int64(len(c.file)), "a.npz", d.Schema, true)
			require.NoError(t, err)
			require.True(t, sameBits(d.X, again.X) && sameBits(d.Y, again.Y))
		})
	}
	// A model that exists is measured on the test arrays.
	y := npy(t, "<f8", "False", "(6,)", []float64{1, 2, 3, 4, 5, 6})
	file := npz(t, "x_train", x, "y_train", y, "x_test", npy(t, "<f4", "False", "(1, 2)", []float32{8, 9}), "y_test", npy(t, "<f8", "False", "(1,)", []float64{7}))
	d, _, err := readNPZ(file, Options{})
	require.NoError(t, err)
	require.Equal(t, 6, d.Rows)
	again, err := ReadNPZFor(bytes.NewReader(file), int64(len(file)), "a.npz", d.Schema, true)
	require.NoError(t, err)
	require.Equal(t, []float64{8, 9}, again.X)
	require.Equal(t, []float64{7}, again.Y)
}

// Arrays that cannot be read are told so in a line, whatever they pretend to hold.
func TestBadArrays(t *testing.T) {
	six := []float64{1, 2, 3, 4, 5, 6}
	good := npy(t, "<f8", "False", "(2, 3)", six)
	y := npy(t, "<f8", "False", "(2,)", six[:2])
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"Empty", nil, "a.npy: is not a NumPy array"},
		{"CSV", []byte("a,b\n1,2\n"), "a.npy: is not a NumPy array"},
		{"PNG", []byte("\x89PNG\r\n\x1a\n"), "a.npy: is not a NumPy array but a PNG image (give it a name that ends in .png)"},
		{"Version", append([]byte("\x93NUMPY\x09\x00"), good[8:]...), "a.npy: has version 9 of the format, which this program does not know"},
		{"HeaderCut", good[:40], "a.npy: is truncated"},
		{"DataCut", good[:len(good)-1], "a.npy: is truncated"},
		{"DataCutByColumns", npy(t, "<f8", "True", "(2, 3)", six[:5]), "a.npy: is truncated"},
		{"More", append(bytes.Clone(good), 0), "a.npy: goes on behind the last element"},
		{"Huge", npy(t, "<f8", "False", "(4000000000, 2)", six), "a.npy: is truncated"},
		{"HugeRow", npy(t, "<f8", "False", "(2, 400000000)", six), "a.npy: has 400,000,000 columns, more than 1,048,576"},
		{"HugeByColumns", npy(t, "<f8", "True", "(2000000000, 2)", six), "a.npy: is truncated"},
		{"Overflow", npy(t, "<f8", "False", "(4000000000, 4000000000)", six), `a.npy: has a header that cannot be read: shape has an impossible length, "4000000000"`},
		{"Negative", npy(t, "<f8", "False", "(-1, 3)", six), `a.npy: has a header that cannot be read: shape has an impossible length, "-1"`},
		{"Objects", npy(t, "|O", "False", "(2, 3)", six), "a.npy: holds Python objects, which are no numbers"},
		{"Complex", npy(t, "<c16", "False", "(2, 3)", six), "a.npy: holds complex numbers, which are no numbers"},
		{"Quad", npy(t, "<f16", "False", "(2, 3)", six), `a.npy: has a header that cannot be read: elements of type "f16" are not known`},
		{"Order", npy(t, "<f8", "None", "(2, 3)", six), "a.npy: has a header that cannot be read: fortran_order is neither True nor False"},
		{"Shape", npy(t, "<f8", "False", "2", six), "a.npy: has a header that cannot be read: shape is not a tuple"},
		{"OneAxis", npy(t, "<f8", "False", "(6,)", six), "a.npy: has 1 axis, want rows × columns"},
		{"NoAxis", npy(t, "<f8", "False", "()", six[:1]), "a.npy: has 0 axes, want rows × columns"},
		{"NoRows", npy(t, "<f8", "False", "(0, 3)", six[:0]), "a.npy: there are no rows"},
		{"NoColumns", npy(t, "<f8", "False", "(3, 0)", six[:0]), "a.npy: has no columns"},
		{"Infinite", npy(t, "<f8", "False", "(2, 3)", []float64{1, 2, 3, 4, math.Inf(1), 6}), `a.npy: row 2: column "x1" (2): "+Inf" is not a finite number`},
		{"MissingTarget", npy(t, "<f8", "False", "(2, 3)", []float64{1, 2, math.NaN(), 4, 5, 6}), `a.npy: row 1: column "x2" (3): the target is missing ("NaN")`},
		{"Constant", npy(t, "<f8", "False", "(2, 3)", []float64{1, 2, 3, 4, 5, 3}), `a.npy: column "x2" (3): the target is the same in every row`},
		{"Picture", npy(t, "|u1", "False", "(4000000000, 1, 3)", []byte{1}), `a.npy: the picture has 1 × 4,000,000,000 pixels, more than 67,108,864`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := ReadNPY(bytes.NewReader(c.in), "a.npy", Options{})
			if strconv.IntSize == 32 && bytes.Contains(c.in[:min(len(c.in), 128)], []byte("00000000")) {
				require.ErrorContains(t, err, "shape has an impossible length") // lengths beyond an int
				return
			}
			require.EqualError(t, err, c.want)
		})
	}
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"NotAnArchive", good, "a.npz: is not an archive of NumPy arrays, or is truncated"},
		{"Cut", npz(t, "x", good, "y", y)[:200], "a.npz: is not an archive of NumPy arrays, or is truncated"},
		{"NoX", npz(t, "a", good, "b", y), "a.npz: has no array named x for the features"},
		{"NoY", npz(t, "x", good, "b", y), "a.npz: has no array named y for the target"},
		{"Rows", npz(t, "x", good, "y", npy(t, "<f8", "False", "(3,)", six[:3])), `a.npz: array "y": has 3 rows, but array "x" has 2`},
		{"Axes", npz(t, "x", good, "y", npy(t, "<f8", "False", "(2, 1, 3)", six)), `a.npz: array "y": has 3 axes, want one value a row, or rows × targets`},
		{"Inside", npz(t, "x", good[:len(good)-9], "y", y), `a.npz: array "x": is truncated`},
	} {
		t.Run("Archive"+c.name, func(t *testing.T) {
			_, _, err := readNPZ(c.in, Options{})
			require.EqualError(t, err, c.want)
		})
	}
	damaged := npz(t, "x", good, "y", y)
	damaged[len(good)/2+40] ^= 1
	_, _, err := readNPZ(damaged, Options{})
	require.ErrorContains(t, err, "a.npz: the archive is damaged: ")
}

// FuzzReadNPY: nothing panics, faults are typed, and what is accepted reads as the same rows
// for its own schema.
func FuzzReadNPY(f *testing.F) {
	six := []float64{1, 2, 3, 4, 5, 6}
	f.Add(npy(f, "<f8", "False", "(2, 3)", six), false)
	f.Add(npy(f, "<f8", "True", "(3, 2)", six), false)
	f.Add(npy(f, "|u1", "False", "(1, 2, 3)", []byte{1, 2, 3, 4, 5, 6}), false)
	f.Add(npy(f, "<U1", "False", "(3, 2)", []uint32{65, 66, 67, 68, 69, 70}), true)
	f.Add(npy(f, "|S2", "False", "(3, 1)", []byte("abcdef")), false)
	f.Add(npz(f, "x", npy(f, "<f8", "False", "(2, 3)", six), "y", npy(f, "|b1", "False", "(2,)", []byte{0, 1})), true)
	f.Fuzz(func(t *testing.T, in []byte, classify bool) {
		o := Options{}
		if classify {
			o.Task = "classify"
		}
		for _, archive := range []bool{false, true} {
			read := func() (mgdl.Data, Info, error) { return ReadNPY(bytes.NewReader(in), "a.npy", o) }
			readFor := func(s mgdl.Schema) (mgdl.Data, error) { return ReadNPYFor(bytes.NewReader(in), "a.npy", s, true) }
			if archive {
				read = func() (mgdl.Data, Info, error) { return readNPZ(in, o) }
				readFor = func(s mgdl.Schema) (mgdl.Data, error) {
					return ReadNPZFor(bytes.NewReader(in), int64(len(in)), "a.npz", s, true)
				}
			}
			d, info, err := read()
			if err != nil {
				if !archive { // an archive may also fail in ways of its own
					checkFuzzError(t, err)
				}
				continue
			}
			checkData(t, d, info)
			again, err := readFor(d.Schema)
			if err != nil {
				t.Fatalf("accepted for training and refused for its schema: %v", err)
			}
			if !sameBits(again.X, d.X) || !sameBits(again.Y, d.Y) {
				t.Fatalf("X %v, Y %v for training\nX %v, Y %v for its schema", d.X, d.Y, again.X, again.Y)
			}
		}
	})
}

// The arrays of other programs, where they are.
func TestRealArrays(t *testing.T) {
	file := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", name))
		if err != nil {
			t.Skipf("the array is not here: %v", err)
		}
		return b
	}
	digits, info, err := readNPZ(file("sk_digits.npz"), Options{})
	require.NoError(t, err)
	checkData(t, digits, info)
	require.Equal(t, 1797, digits.Rows)
	require.Equal(t, mgdl.Classification, digits.Schema.Task)
	require.Len(t, digits.Schema.Targets[0].Levels, 10)
	csv, _, err := ReadCSV(bytes.NewReader(file("sk_digits.csv")), "sk_digits.csv", Options{Task: "classify"})
	require.NoError(t, err)
	require.True(t, sameBits(csv.X, digits.X) && sameBits(csv.Y, digits.Y), "the archive and the table of the digits differ")

	board, _, err := readNPZ(file("img_chessboard_GRAY_U8.npz"), Options{})
	require.NoError(t, err)
	require.Equal(t, 200, board.Rows)
	require.Len(t, board.Schema.Features, 199)

	picture, _, err := ReadNPY(bytes.NewReader(file("img_chessboard_RGB_U8.npy")), "a.npy", Options{})
	require.NoError(t, err)
	require.Equal(t, 40000, picture.Rows)
	require.Equal(t, "intensity", picture.Schema.Targets[0].Name)
}
