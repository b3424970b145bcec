package mgdl

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/multigrade/multigrade/kernel"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

func fileOf(t testing.TB, m *Model) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := m.WriteTo(&b)
	require.NoError(t, err)
	require.Equal(t, int64(b.Len()), n)
	return b.Bytes()
}

// seal returns the file of a header and data with the right length and checksum.
func seal(header string, data []byte) []byte {
	for len(header)%8 != 0 {
		header += " "
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(append(b, header...), data...)
	at := 8 + strings.Index(header, `"checksum":"`) + len(`"checksum":"`)
	copy(b[at:], strings.Repeat("0", 64))
	sum := sha256.Sum256(b)
	hex.Encode(b[at:at+64], sum[:])
	return b
}

// parts is the inverse of seal.
func parts(file []byte) (header string, data []byte) {
	n := binary.LittleEndian.Uint64(file)
	return strings.TrimRight(string(file[8:8+n]), " "), file[8+n:]
}

func TestRoundTrip(t *testing.T) {
	for i, f := range forms {
		m := makeModel(t, f, uint64(i))
		file := fileOf(t, m)
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader(file), "byte by byte": iotest.OneByteReader(bytes.NewReader(file)),
			"end with the data": iotest.DataErrReader(bytes.NewReader(file)),
		} {
			back, err := ReadModel(r)
			require.NoError(t, err, name)
			if !bytes.Equal(fileOf(t, back), file) {
				t.Errorf("%v, %s: written again it has other bytes", f, name)
			}
			x := makeRows(70, 4)
			if j := sameBits(back.NewPredictor().Predict(nil, x), m.NewPredictor().Predict(nil, x)); j >= 0 {
				t.Errorf("%v, %s: prediction %d differs", f, name, j)
			}
			require.Equal(t, m.Schema(), back.Schema())
			require.Equal(t, m.meta, back.meta)
			require.Equal(t, m.Checksum(), back.Checksum())
			require.Equal(t, string(m.appendGrades(nil)), string(back.appendGrades(nil)))
			for g := range m.grades {
				require.Equal(t, len(m.grades[g].networks), len(back.grades[g].networks))
				for e := range m.grades[g].networks {
					require.Equal(t, m.grades[g].networks[e], back.grades[g].networks[e])
				}
			}
		}
	}
}

// A file is what its documentation says: anyone can read it and check it.
func TestFileLayout(t *testing.T) {
	m := makeModel(t, forms[3], 1)
	file := fileOf(t, m)
	header, data := parts(file)
	if len(data) == 0 || (len(file)-len(data))%8 != 0 {
		t.Errorf("the tensors begin at byte %d", len(file)-len(data))
	}
	var entries map[string]struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	require.NoError(t, json.Unmarshal([]byte(header), &entries))
	var meta struct {
		Metadata map[string]string `json:"__metadata__"`
	}
	require.NoError(t, json.Unmarshal([]byte(header), &meta))
	require.Equal(t, "multigrade", meta.Metadata["format"])
	require.Equal(t, "1", meta.Metadata["format_version"])
	require.Equal(t, "a \"note\"\n", meta.Metadata["meta.note"])
	require.Equal(t, m.Checksum(), meta.Metadata["checksum"])
	blank := bytes.Replace(file, []byte(m.Checksum()), bytes.Repeat([]byte("0"), 64), 1)
	sum := sha256.Sum256(blank)
	require.Equal(t, m.Checksum(), hex.EncodeToString(sum[:]))
	for _, k := range []string{"grades", "schema"} {
		require.True(t, json.Valid([]byte(meta.Metadata[k])), k)
	}

	e := entries["grade3.chain1.layer0.weight"]
	require.Equal(t, "F32", e.DType)
	require.Equal(t, []int{11, 17}, e.Shape)
	require.Equal(t, 4*11*17, e.Offsets[1]-e.Offsets[0])
	w := m.grades[2].networks[1].hidden[0].w
	for k := range 11 {
		for n := range 17 {
			got := math.Float32frombits(binary.LittleEndian.Uint32(data[e.Offsets[0]+4*(k*17+n):]))
			if got != w.Data[w.Index(k, n)] {
				t.Fatalf("weight %d, %d is %v in the file, %v in the model", k, n, got, w.Data[w.Index(k, n)])
			}
		}
	}
	at, total := 0, 0
	for name, e := range entries {
		if name != "__metadata__" {
			at, total = max(at, e.Offsets[1]), total+e.Offsets[1]-e.Offsets[0]
		}
	}
	if at != len(data) || total != len(data) {
		t.Errorf("tensors cover %d of %d bytes and end at %d", total, len(data), at)
	}
}

// Every changed bit pattern of a byte, and every cut, is an error and no panic.
func TestEveryByteCounts(t *testing.T) {
	m := makeModel(t, form{Regression, 1, true, 2, [][]int{{2}}, ""}, 1)
	file := fileOf(t, m)
	try := func(what string, i int, b []byte) {
		m, err := ReadModel(bytes.NewReader(b))
		if m != nil || !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) || !strings.HasPrefix(err.Error(), "mgdl: ") {
			t.Fatalf("%s %d: model %v, error %v", what, i, m != nil, err)
		}
	}
	b := bytes.Clone(file)
	for i := range file {
		for _, x := range []byte{0x01, 0x20, 0x80, 0xff} {
			b[i] = file[i] ^ x
			try("changed byte", i, b)
		}
		b[i] = file[i]
		try("cut at", i, file[:i])
	}
	try("one byte more after", len(file), append(b, 0))
	_, err := ReadModel(bytes.NewReader(file))
	require.NoError(t, err)
}

func TestRandomCorruption(t *testing.T) {
	file := fileOf(t, makeModel(t, forms[7], 1))
	rng := rand.New(rand.NewPCG(8, 8))
	for i := range 1000 {
		b := bytes.Clone(file)
		for range 1 + rng.IntN(4) {
			at := rng.IntN(len(b))
			switch n := min(rng.IntN(40), len(b)-at); rng.IntN(4) {
			case 0: // noise
				for j := range n {
					b[at+j] = byte(rng.Uint32())
				}
			case 1: // a piece is missing
				b = append(b[:at], b[at+n:]...)
			case 2: // a piece twice
				b = append(b[:at+n:at+n], b[at:]...)
			case 3: // a piece elsewhere
				copy(b[rng.IntN(len(b)):], b[at:at+n])
			}
		}
		if bytes.Equal(b, file) {
			continue
		}
		m, err := ReadModel(bytes.NewReader(b))
		if m != nil || !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) {
			t.Fatalf("corruption %d: model %v, error %v", i, m != nil, err)
		}
	}
}

// Files whose checksum is right and that are wrong otherwise, as only a program makes.
func TestForgedFiles(t *testing.T) {
	header, data := parts(fileOf(t, makeModel(t, form{Regression, 2, true, 1, [][]int{{3}}, ""}, 1)))
	replace := func(from, to string) string {
		require.Contains(t, header, from)
		return strings.Replace(header, from, to, 1)
	}
	inf := bytes.Clone(data)
	binary.LittleEndian.PutUint32(inf[8:], math.Float32bits(float32(math.Inf(1))))
	last := `"grade2.chain0.layer1.bias":{"dtype":"F32","shape":[2],"data_offsets":[212,220]}`
	for _, c := range []struct {
		name, header string
		data         []byte
		want         string
	}{
		{"as it is", header, data, ""},
		{"newer version", replace(`"format_version":"1"`, `"format_version":"2"`), data, "mgdl: the file has format version 2, this program reads versions up to 1: a newer one is needed"},
		{"no version", replace(`"format_version":"1"`, `"format_version":"x"`), data, `mgdl: damaged header: format_version is "x"`},
		{"another format", replace(`"format":"multigrade"`, `"format":"pt"`), data, "mgdl: not a model: this is a safetensors file, but not a multigrade model"},
		{"not finite", header, inf, "mgdl: invalid model: grade 1: network 0, layer 0 has a weight that is not finite"},
		{"short", header, data[:len(data)-5], "mgdl: truncated in tensor grade2.chain0.layer1.bias: 3 of 8 bytes"},
		{"long", header, append(bytes.Clone(data), 1, 2, 3), "mgdl: damaged: there are bytes after the last tensor"},
		{"extra tensor", replace(last, last+`,"more":{"dtype":"F32","shape":[1],"data_offsets":[220,224]}`), append(bytes.Clone(data), 0, 0, 0, 0), "mgdl: damaged header: there are 8 tensors, grades and networks need 7"},
		{"missing tensor", replace(","+last, ""), data[:len(data)-8], "mgdl: damaged header: there are 6 tensors, grades and networks need 7"},
		{"wrong name", replace(`"grade2.chain0.layer1.bias"`, `"grade2.chain0.layer1.b"`), data, "mgdl: damaged header: there is no tensor grade2.chain0.layer1.bias"},
		{"same name", replace(`"grade2.chain0.layer1.bias"`, `"grade2.chain0.layer0.bias"`), data, "mgdl: damaged header: there are 6 tensors, grades and networks need 7"},
		{"dtype", replace(`"F32","shape":[2],"data_offsets":[212`, `"F16","shape":[2],"data_offsets":[212`), data, `mgdl: damaged header: tensor grade2.chain0.layer1.bias has dtype "F16", want F32`},
		{"shape", replace(`"shape":[8,2]`, `"shape":[2,8]`), data, "mgdl: damaged header: tensor grade1.chain0.layer0.weight has shape [2 8], want [8 2]"},
		{"overlap", replace(`"data_offsets":[212,220]`, `"data_offsets":[204,212]`), data, "mgdl: damaged header: tensor grade2.chain0.layer1.bias is at bytes [204 212], want [212 220]"},
		{"hidden", replace(`\"hidden\":[3]`, `\"hidden\":[4]`), data, "mgdl: damaged header: tensor grade2.chain0.layer0.weight has shape [8 3], want [8 4]"},
		{"huge width", replace(`\"hidden\":[3]`, `\"hidden\":[999999999]`), data, "mgdl: damaged header: tensor grade2.chain0.layer0.weight would have the impossible shape [8 999999999]"},
		{"many networks", replace(`\"networks\":1,\"params\":35`, `\"networks\":999999999,\"params\":35`), data, "mgdl: damaged header: grade 2 has 999999999 networks and there are 7 tensors"},
		{"kind", replace(`{\"kind\":\"relu\"`, `{\"kind\":\"sine\"`), data, "mgdl: invalid header: it is not in canonical form"},
		{"cost", replace(`\"params\":35`, `\"params\":36`), data, "mgdl: invalid header: it is not in canonical form"},
		{"spaces", replace(`"format":`, `"format": `), data, "mgdl: invalid header: it is not in canonical form"},
		{"escapes", replace(`"format":`, `"\u0066ormat":`), data, "mgdl: invalid header: it is not in canonical form"},
		{"case of a key", replace(`\"mean\"`, `\"Mean\"`), data, "mgdl: invalid header: it is not in canonical form"},
		{"unknown metadata", replace(`"format":`, `"author":"me","format":`), data, "mgdl: invalid header: it is not in canonical form"},
		{"empty metadata", replace(`"meta.seed":"1"`, `"meta.seed":""`), data, "mgdl: invalid header: it is not in canonical form"},
		{"metadata twice", replace(`"meta.seed":"1"`, `"meta.seed":"2","meta.seed":"1"`), data, "mgdl: invalid header: it is not in canonical form"},
		{"checksum elsewhere", replace(`{"__metadata__":{`, `{"__metadata__": {`), data, "mgdl: damaged header: it does not begin with the checksum"},
		{"infinite loss", replace(`\"train_loss\":1,`, `\"train_loss\":1e999,`), data, "mgdl: damaged header: grades: "},
		{"infinite statistic", replace(`\"mean\":2,`, `\"mean\":1e999,`), data, "mgdl: damaged header: schema: "},
		{"task", replace(`\"task\":\"regression\"`, `\"task\":\"ranking\"`), data, `mgdl: damaged header: schema: unknown task "ranking"`},
		{"column kind", replace(`\"kind\":\"number\"`, `\"kind\":\"date\"`), data, `mgdl: damaged header: schema: column "length" has the unknown kind "date"`},
		{"column", replace(`\"scale\":0.75`, `\"scale\":-0.75`), data, `mgdl: damaged header: schema: column "length" has impossible statistics`},
		{"curve", replace(`[0.5,1e-07,2]`, `[0.5,1e-07]`), data, "mgdl: damaged header: grades: a point of a curve has 2 numbers, want 3"},
	} {
		m, err := ReadModel(bytes.NewReader(seal(c.header, c.data)))
		if c.want == "" {
			require.NoError(t, err, c.name)
			continue
		}
		require.Nil(t, m, c.name)
		require.ErrorContains(t, err, c.want, c.name)
		kind := ErrFormat
		if c.name == "newer version" {
			kind = ErrVersion
		}
		require.ErrorIs(t, err, kind, c.name)
	}
}

func TestForeignFiles(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "mgdl: not a model: the file is empty"},
		{"short", "abc", "mgdl: not a model: 3 bytes are too few"},
		{"ONNX", "\x08\x08\x12\x07pytorch\x1a\x03", "mgdl: not a model: this is an ONNX file"},
		{"ONNX, graph first", "\x08\x07:\xe2\x01\n\x0f\n\x01x\x12", "mgdl: not a model: this is an ONNX file"},
		{"TFLite", "\x1c\x00\x00\x00TFL3\x14\x00", "mgdl: not a model: this is a TensorFlow Lite file"},
		{"zip", "PK\x03\x04\x14\x00\x08\x00\x08\x00", "mgdl: not a model: this is a zip archive"},
		{"LFS", "version https://git-lfs.github.com/spec/v1\n", "mgdl: not a model: this is a Git LFS pointer"},
		{"CSV", "area,price\n1,2\n", "mgdl: not a model: it would have a header of"},
		{"zeros", strings.Repeat("\x00", 100), "mgdl: not a model: it does not begin with a safetensors header"},
		{"safetensors", "\x40\x00\x00\x00\x00\x00\x00\x00" + `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}          ` + "\x00\x00\x00\x00",
			"mgdl: not a model: this is a safetensors file, but not a multigrade model"},
		{"huge header", "\x00\x00\x00\x00\x00\x00\x00\x10{}", "mgdl: not a model: it would have a header of 1152921504606846976 bytes, at most 67108864 are allowed"},
		{"cut header", "\x00\x00\x00\x01\x00\x00\x00\x00{\"__meta", "mgdl: truncated in the header: 8 of 16777216 bytes"},
	} {
		m, err := ReadModel(strings.NewReader(c.file))
		require.Nil(t, m, c.name)
		require.ErrorContains(t, err, c.want, c.name)
		require.ErrorIs(t, err, ErrFormat, c.name)
	}
}

// A small file that claims to hold a lot does not make the reader allocate a lot.
func TestReadModelMemory(t *testing.T) {
	header, data := parts(fileOf(t, makeModel(t, form{Regression, 2, false, 1, [][]int{{3}}, ""}, 1)))
	const n = 200_000_000
	header = strings.Replace(header, `\"hidden\":[3]`, `\"hidden\":[200000000]`, 1)
	header = strings.Replace(header, `"shape":[8,3],"data_offsets":[8,104]`, `"shape":[8,200000000],"data_offsets":[8,`+strconv.FormatInt(8+8*4*n, 10)+`]`, 1)
	file := seal(header, data)
	huge := append([]byte("\x00\x00\x00\x04\x00\x00\x00\x00"), header...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ReadModel(bytes.NewReader(file))
	require.ErrorContains(t, err, "mgdl: truncated in tensor grade1.chain0.layer0.weight: ")
	_, err = ReadModel(bytes.NewReader(huge))
	require.ErrorContains(t, err, "mgdl: truncated in the header: ")
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("reading %d bytes allocated %d", len(file), used)
	}
}

func TestReadErrors(t *testing.T) {
	file := fileOf(t, makeModel(t, forms[3], 1))
	broken := errors.New("broken line")
	for _, at := range []int{0, 3, 8, 100, len(file) - 3, len(file)} {
		m, err := ReadModel(io.MultiReader(bytes.NewReader(file[:at]), iotest.ErrReader(broken)))
		require.Nil(t, m)
		require.ErrorIs(t, err, broken)
		require.NotErrorIs(t, err, ErrFormat)
		require.EqualError(t, err, "mgdl: reading the model: broken line")
	}
}

type limitedWriter struct{ left int }

var errFull = errors.New("disk full")

func (w *limitedWriter) Write(b []byte) (int, error) {
	n := min(len(b), w.left)
	w.left -= n
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

func TestWriteErrors(t *testing.T) {
	m := makeModel(t, forms[3], 1)
	size := len(fileOf(t, m))
	for _, left := range []int{0, 5, 100, size - 1} {
		n, err := m.WriteTo(&limitedWriter{left})
		require.ErrorIs(t, err, errFull)
		require.EqualError(t, err, "mgdl: writing the model: disk full")
		require.Equal(t, int64(left), n)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.safetensors")
	first, second := makeModel(t, forms[2], 1), makeModel(t, forms[3], 2)
	for _, m := range []*Model{first, second} {
		require.NoError(t, WriteFile(path, m))
		back, err := ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, m.Checksum(), back.Checksum())
	}
	onlyFile := func() {
		t.Helper()
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 1, "a temporary file is left")
		back, err := ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, second.Checksum(), back.Checksum(), "the old file is not intact")
	}
	onlyFile()

	err := writeFile(path, func(w io.Writer) error {
		w.Write([]byte("half a mod"))
		return errFull
	})
	require.ErrorIs(t, err, errFull)
	onlyFile()

	require.ErrorContains(t, WriteFile(dir, first), "it is not a regular file")
	require.ErrorIs(t, WriteFile(filepath.Join(dir, "none", "m"), first), os.ErrNotExist)
	onlyFile()

	if runtime.GOOS != "windows" && runtime.GOOS != "js" && runtime.GOOS != "wasip1" {
		require.NoError(t, os.Chmod(path, 0o640))
		link := filepath.Join(t.TempDir(), "link")
		require.NoError(t, os.Symlink(path, link))
		require.NoError(t, WriteFile(link, second))
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o640), info.Mode())
		info, err = os.Lstat(link)
		require.NoError(t, err)
		require.NotZero(t, info.Mode()&os.ModeSymlink, "the link has been replaced")
		onlyFile()
	}
}

func TestWriteFileUnwritable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.safetensors")
	m := makeModel(t, forms[2], 1)
	require.NoError(t, WriteFile(path, m))
	require.NoError(t, os.Chmod(dir, 0o500))
	defer os.Chmod(dir, 0o700)
	if f, err := os.Create(filepath.Join(dir, "probe")); err == nil {
		f.Close()
		os.Remove(f.Name())
		t.Skip("this user or system writes to a directory without permission")
	}
	err := WriteFile(path, makeModel(t, forms[3], 1))
	require.ErrorIs(t, err, os.ErrPermission)
	require.ErrorContains(t, err, "mgdl: writing "+path)
	back, err := ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, m.Checksum(), back.Checksum())
}

func TestReadFileErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.onnx")
	_, err := ReadFile(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "mgdl: open "+path)
	require.NoError(t, os.WriteFile(path, []byte("\x08\x08\x12\x07pytorch"), 0o666))
	_, err = ReadFile(path)
	require.ErrorIs(t, err, ErrFormat)
	require.EqualError(t, err, "mgdl: "+path+": not a model: this is an ONNX file")
}

func TestAppendString(t *testing.T) {
	s := "plain \"quoted\" back\\slash \b\f\n\r\t\x00\x1f\x7f é € \U0001F600 <&> \u2028"
	b := appendString(nil, s)
	var back string
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, s, back)
	require.Contains(t, string(b), `\u0008\u000c\u000a`)
	require.Contains(t, string(b), "<&> \u2028")
}

// goldenLayer has weights that are exact binary fractions and differ from each other.
func goldenLayer(k, n, start int) layer {
	value := func(i int) float32 { return float32((i*37+start*11)%61-30) / 64 }
	m := kernel.NewMatrix(k, n)
	for i := range m.Data {
		m.Data[i] = value(i)
	}
	l := layer{w: kernel.NewWeights(k, n), b: kernel.Floats(n)}
	l.w.Pack(m)
	for i := range l.b {
		l.b[i] = value(100 + i)
	}
	return l
}

func goldenModel(t *testing.T, task Task) *Model {
	s := testSchema(task, 3)
	k := s.inputs()
	grades := []grade{
		{info: GradeInfo{TrainLoss: 0.5, ValLoss: 0.625}, networks: []network{{out: goldenLayer(k, 3, 1)}}},
		{info: GradeInfo{TrainLoss: 0.1, ValLoss: math.NaN(), Curve: []Check{{0.25, 0.3, math.NaN()}, {1, 1e-9, 0.2}}}},
		{info: GradeInfo{TrainLoss: 0.01, ValLoss: 0.02}},
	}
	for e := range 3 {
		grades[1].networks = append(grades[1].networks, network{hidden: []layer{goldenLayer(k, 5, e), goldenLayer(5, 2, e+1)}, out: goldenLayer(2, 3, e)})
		grades[2].networks = append(grades[2].networks, network{hidden: []layer{goldenLayer(k+2, 33, e)}, out: goldenLayer(33, 3, e+2)})
	}
	m, err := newModel(s, []float32{0.25, -0.5, 0.0625}, GradeInfo{TrainLoss: 1, ValLoss: 1.1}, grades, map[string]string{"command": "mgdl train \"a b.csv\"", "seed": "1"})
	require.NoError(t, err)
	return m
}

// Files of every format version stay readable and predict the same bits for ever.
func TestGolden(t *testing.T) {
	nan := math.NaN()
	x := []float64{
		2.5, 0, 3, 1, -20,
		nan, nan, nan, nan, nan,
		-1, -1, 3, 0, 1e6,
		0.125, 2, 7, 1, 123.456,
	}
	for _, c := range []struct {
		name string
		task Task
	}{{"v1_regression", Regression}, {"v1_classification", Classification}} {
		model, numbers := filepath.Join("testdata", c.name+".safetensors"), filepath.Join("testdata", c.name+".txt")
		if *update {
			m := goldenModel(t, c.task)
			require.NoError(t, os.WriteFile(model, fileOf(t, m), 0o666))
			var b strings.Builder
			for k := range len(m.grades) + 1 {
				for _, v := range m.NewPredictor().PredictGrades(nil, x, k) {
					b.WriteString(strconv.FormatFloat(v, 'x', -1, 64) + "\n")
				}
			}
			require.NoError(t, os.WriteFile(numbers, []byte(b.String()), 0o666))
		}
		file, err := os.ReadFile(model)
		require.NoError(t, err)
		m, err := ReadModel(bytes.NewReader(file))
		require.NoError(t, err)
		if !bytes.Equal(fileOf(t, goldenModel(t, c.task)), file) {
			t.Errorf("%s: the model is written with other bytes", c.name)
		}
		text, err := os.ReadFile(numbers)
		require.NoError(t, err)
		lines := strings.Fields(string(text))
		for k := range len(m.grades) + 1 {
			for i, v := range m.NewPredictor().PredictGrades(nil, x, k) {
				want, err := strconv.ParseFloat(lines[0], 64)
				require.NoError(t, err)
				if v != want {
					t.Errorf("%s: %d grades, value %d is %x, want %x", c.name, k, i, v, want)
				}
				lines = lines[1:]
			}
		}
		require.Empty(t, lines)
	}
}

func FuzzReadModel(f *testing.F) {
	for i, form := range forms[:5] {
		file := fileOf(f, makeModel(f, form, uint64(i)))
		header, data := parts(file)
		f.Add(file)
		f.Add(file[:len(file)/2])
		f.Add(seal(strings.Replace(header, "1", "2", 1), data))
		f.Add([]byte(header))
	}
	f.Add([]byte("\x08\x08\x12\x07pytorch"))
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		// Half of the inputs get a right checksum, so that they are not all stopped by it.
		if len(b) > 8+checksumAt+checksumLen && b[len(b)-1]&1 == 0 && strings.HasPrefix(string(b[8:]), headerStart) {
			if n := binary.LittleEndian.Uint64(b); n >= uint64(checksumAt+checksumLen) && n <= uint64(len(b)-8) {
				b = seal(string(b[8:8+n]), b[8+n:])
			}
		}
		m, err := ReadModel(bytes.NewReader(b))
		if err != nil {
			if m != nil || !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) || !strings.HasPrefix(err.Error(), "mgdl: ") {
				t.Fatalf("model %v, error %v", m != nil, err)
			}
			return
		}
		var back bytes.Buffer
		if _, err := m.WriteTo(&back); err != nil || !bytes.Equal(back.Bytes(), b) {
			t.Fatalf("accepted, but not what is written again (%v)", err)
		}
		m.NewPredictor().Predict(nil, make([]float64, len(m.schema.Features)))
	})
}
