package construct

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// T14: at nodes, hats of all levels add up to the stored values without any rounding, in any order.
func TestNodalSumsAreExact(t *testing.T) {
	for _, c := range samples() {
		s := build(t, c)
		fine := s.levels[len(s.levels)-1].mesh
		r, x := points(14), make([]float64, s.dim)
		for range 200 {
			z := r.IntN(fine.nodes)
			fine.point(x, z)
			terms := []float64{s.start}
			s.walk(x, func(_, _ int, add float64) { terms = append(terms, add) })
			exact := new(big.Float).SetPrec(200)
			for _, v := range terms {
				exact.Add(exact, big.NewFloat(v))
			}
			want, accuracy := exact.Float64()
			require.Equal(t, big.Exact, accuracy, c.name)
			require.Equal(t, want, s.final[z], c.name)
			require.Equal(t, want, s.At(x), c.name)
			for range 5 {
				r.Shuffle(len(terms), func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
				sum := 0.0
				for _, v := range terms {
					sum += v
				}
				require.Equal(t, want, sum, c.name)
			}
		}
	}
}

// T14: what is read back has the same bits in every readout, and is written as the same bytes.
func TestSchemeFile(t *testing.T) {
	for _, c := range samples() {
		c.o.Note = `f = "x", α`
		s := build(t, c)
		var file bytes.Buffer
		n, err := s.WriteTo(&file)
		require.NoError(t, err)
		require.Equal(t, int64(file.Len()), n)
		require.Less(t, file.Len(), 8*s.Hats()+1<<13)
		back, err := ReadScheme(bytes.NewReader(file.Bytes()))
		require.NoError(t, err)
		require.Equal(t, s, back)
		grades := s.Grades(5)
		r, x := points(1), make([]float64, s.dim)
		for range 200 {
			fill(r, x)
			require.Equal(t, s.At(x), back.At(x))
			g := grades[r.IntN(len(grades))]
			require.Equal(t, s.After(g, x), back.After(g, x))
		}
		require.Equal(t, s.Bound(), back.Bound())
		require.Equal(t, s.Rounding(), back.Rounding())
	}
}

// Every changed byte, every missing end and every added byte is an error.
func TestSchemeFileDamaged(t *testing.T) {
	c := root()
	s := build(t, c)
	var file bytes.Buffer
	_, err := s.WriteTo(&file)
	require.NoError(t, err)
	whole := file.Bytes()
	step := 1 + len(whole)/700
	for at := 0; at < len(whole); at += step {
		for _, mask := range []byte{1, 0x80} {
			bad := bytes.Clone(whole)
			bad[at] ^= mask
			_, err := ReadScheme(bytes.NewReader(bad))
			require.ErrorIs(t, err, ErrFormat, "byte %d", at)
		}
		_, err := ReadScheme(bytes.NewReader(whole[:at]))
		require.ErrorIs(t, err, ErrFormat, "cut at %d", at)
	}
	_, err = ReadScheme(bytes.NewReader(append(bytes.Clone(whole), 0)))
	require.ErrorIs(t, err, ErrFormat)
	_, err = ReadScheme(io.MultiReader(bytes.NewReader(whole[:100]), failing{}))
	require.ErrorIs(t, err, errDisk)
	require.NotErrorIs(t, err, ErrFormat)
	_, err = s.WriteTo(failing{})
	require.ErrorIs(t, err, errDisk)
}

var errDisk = errors.New("disk")

type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errDisk }
func (failing) Write([]byte) (int, error) { return 0, errDisk }

func FuzzReadScheme(f *testing.F) {
	s, err := Build(context.Background(), cone().f, Options{Dim: 2, Eps: 0.4, Certificate: cone().o.Certificate})
	require.NoError(f, err)
	var file bytes.Buffer
	_, err = s.WriteTo(&file)
	require.NoError(f, err)
	f.Add(file.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := ReadScheme(bytes.NewReader(b)); err == nil {
			var again bytes.Buffer
			_, err := s.WriteTo(&again)
			require.NoError(t, err)
			require.Equal(t, b, again.Bytes())
		}
	})
}

// Grades cut the hats of each level into runs, and After is the sum of them.
func TestGrades(t *testing.T) {
	s := build(t, saddle())
	for _, hats := range []int{1, 7, 1000, 1 << 20} {
		grades := s.Grades(hats)
		require.Len(t, grades, s.count(hats))
		total, level := 0, 0
		for i, g := range grades {
			require.LessOrEqual(t, g.Hats, hats)
			require.Len(t, s.hats(g, 1), g.Hats)
			require.GreaterOrEqual(t, g.Level, level)
			if i+1 < len(grades) && grades[i+1].Level == g.Level {
				require.Equal(t, hats, g.Hats)
			}
			level = g.Level
			total += g.Hats
		}
		require.Equal(t, s.Hats(), total)
	}
	x := []float64{0.123, 0.71}
	require.Equal(t, s.Start(), s.AfterLevel(-1, x))
	require.InDelta(t, s.At(x), s.AfterLevel(len(s.levels)-1, x), 1e-14)
	require.Panics(t, func() { s.Grades(0) })
	require.Panics(t, func() { s.At(x[:1]) })
	require.Equal(t, s.At([]float64{1, 0.5}), s.At([]float64{2, 0.5}))
	require.True(t, math.IsNaN(s.At([]float64{0, math.NaN()})))
	require.True(t, math.IsNaN(s.AfterLevel(0, []float64{math.NaN(), 0})))
	require.Equal(t, s.At([]float64{1, 0}), s.At([]float64{math.Inf(1), math.Inf(-1)}))
	require.Zero(t, testing.AllocsPerRun(100, func() { s.At(x) }))
}

// The same bits on every machine, for a function whose own bits are: products are rounded before they are added.
func TestSameBitsEverywhere(t *testing.T) {
	sum := sha256.New()
	for dim, eps := range []float64{0, 1e-3, 0.02, 0.1} {
		if dim == 0 {
			continue
		}
		f := func(x []float64) float64 {
			v := 1.0
			for i, c := range x {
				v = float64(v*(c-0.3)) + float64(float64(i+1)*c)/3
			}
			return v
		}
		l := map[int]float64{1: 4. / 3, 2: 3, 3: 5}[dim]
		for _, o := range []Options{
			{Mode: Minorant, Certificate: Certificate{Curvature: 2 * l, Lower: new(-3.0)}},
			{Mode: Lipschitz, Certificate: Certificate{Lipschitz: l}},
			{Mode: Oscillation, Certificate: Certificate{Modulus: func(h float64) float64 { return l * float64(dim) * h }}},
		} {
			o.Dim, o.Eps = dim, eps*l*8
			s := build(t, sample{"polynomial", f, o})
			_, err := s.WriteTo(sum)
			require.NoError(t, err)
			r, x := points(1), make([]float64, dim)
			put := func(v float64) { binary.Write(sum, binary.LittleEndian, v) }
			for range 100 {
				fill(r, x)
				put(s.At(x))
				put(s.AfterLevel(0, x))
			}
			put(s.Bound())
			put(s.Rounding())
			m, err := s.Model(f, 0, nil)
			require.NoError(t, err)
			_, err = m.WriteTo(sum)
			require.NoError(t, err)
		}
		d, err := NewDigits(context.Background(), f, dim, 3, 2, 0x1p-12)
		require.NoError(t, err)
		v, _ := d.At(2, []float64{0.7, 0.2, 0.4}[:dim])
		binary.Write(sum, binary.LittleEndian, v)
	}
	require.Equal(t, "48f4fd4c400041c7780d73f4b199c9061a5b41d5c250084328c9e816959e8f4e", hex.EncodeToString(sum.Sum(nil)))
}

// Meshes: interpolation is continuous and exact on affine functions, and refinement does not change a function.
func TestMesh(t *testing.T) {
	for dim := 1; dim <= 5; dim++ {
		for _, n := range []int{1, 2, 3, 4} {
			m, err := newMesh(dim, n, 1<<20)
			require.NoError(t, err)
			for _, q := range []int{2, 3, 4} {
				fine, err := newMesh(dim, n*q, 1<<24)
				require.NoError(t, err)
				r := points(uint64(dim*n + q))
				v, affine, x := make([]float64, m.nodes), make([]float64, m.nodes), make([]float64, dim)
				for z := range v {
					v[z] = r.NormFloat64()
					m.point(x, z)
					affine[z] = 1
					for i, c := range x {
						affine[z] += float64(i-1) * c
					}
				}
				w := m.refine(&fine, v)
				for range 50 {
					fill(r, x)
					require.InDelta(t, m.interpolate(v, x), fine.interpolate(w, x), 1e-13)
					want := 1.0
					for i, c := range x {
						want += float64(i-1) * c
					}
					require.InDelta(t, want, m.interpolate(affine, x), 1e-13)
				}
				z := r.IntN(m.nodes)
				m.point(x, z)
				require.InDelta(t, v[z], m.interpolate(v, x), 1e-13)
			}
			count := 0
			require.NoError(t, m.simplices(func(nodes []int) error { count++; return nil }))
			require.Equal(t, int(simplexCount(dim, n)), count)
		}
	}
	_, err := newMesh(3, 1000, 1<<20)
	require.Error(t, err)
	_, err = newMesh(8, math.MaxInt32, math.MaxInt)
	require.Error(t, err)
}
