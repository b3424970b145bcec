package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/tiff"

	"github.com/multigrade/multigrade/mgdl/dataset"
)

// gradient is a small picture: brighter to the right and downwards.
func gradient() *image.Gray {
	m := image.NewGray(image.Rect(0, 0, 20, 15))
	for i := range m.Pix {
		m.Pix[i] = uint8(5*(i%20) + 8*(i/20))
	}
	return m
}

// pictureFiles encodes a picture in every format the command reads.
func pictureFiles(t *testing.T, m image.Image) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for name, encode := range map[string]func(w io.Writer) error{
		"a.png": func(w io.Writer) error { return png.Encode(w, m) },
		"a.jpg": func(w io.Writer) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: 100}) },
		"a.gif": func(w io.Writer) error { return gif.Encode(w, m, nil) },
		"a.tif": func(w io.Writer) error { return tiff.Encode(w, m, nil) },
	} {
		var b bytes.Buffer
		require.NoError(t, encode(&b))
		files[name] = b.Bytes()
	}
	return files
}

// TestPictures trains on a picture of each format, measures the model and draws it.
func TestPictures(t *testing.T) {
	for name, content := range pictureFiles(t, gradient()) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := write(t, dir, name, string(content))
			model := quickModel(t, path)
			r := mustRun(t, "eval", model, path, "--json")
			var e struct {
				Rows   int
				Grades []struct{ RMSE, PSNR float64 }
			}
			require.NoError(t, json.Unmarshal([]byte(r.stdout), &e))
			require.Equal(t, 300, e.Rows)
			require.NotEmpty(t, e.Grades)
			for _, g := range e.Grades {
				require.InDelta(t, -20*math.Log10(g.RMSE), g.PSNR, 1e-9)
			}
			require.Contains(t, mustRun(t, "eval", model, path).stdout, "psnr")

			drawn := filepath.Join(dir, "drawn.png")
			mustRun(t, "predict", model, path, "-o", drawn)
			m, err := png.Decode(bytes.NewReader(read(t, drawn)))
			require.NoError(t, err)
			require.Equal(t, image.Pt(20, 15), m.Bounds().Size())
			// Every pixel is the prediction that the command prints, rounded.
			rows := strings.Split(strings.TrimSpace(mustRun(t, "predict", model, path).stdout), "\n")
			require.Equal(t, "intensity", rows[0])
			for i, line := range rows[1:] {
				v, err := strconv.ParseFloat(line, 64)
				require.NoError(t, err)
				want := color.Gray{uint8(math.RoundToEven(255 * min(max(v, 0), 1)))}
				require.Equal(t, want, m.At(i%20, i/20), "pixel %d", i)
			}
			mustRun(t, "predict", model, "--size", "7x9", "-o", drawn)
			m, err = png.Decode(bytes.NewReader(read(t, drawn)))
			require.NoError(t, err)
			require.Equal(t, image.Pt(7, 9), m.Bounds().Size())
			mustRun(t, "report", model, path, "-o", filepath.Join(dir, "a.html"))
		})
	}
}

// TestDamagedPictures: a truncated file of any format is one clear line, at every length,
// and nothing is written.
func TestDamagedPictures(t *testing.T) {
	for name, content := range pictureFiles(t, gradient()) {
		t.Run(name, func(t *testing.T) {
			for _, keep := range []int{0, 1, 7, 20, len(content) / 3, len(content) / 2, len(content) * 9 / 10} {
				dir := t.TempDir()
				t.Chdir(dir)
				write(t, dir, name, string(content[:keep]))
				r := command(t, "", "train", name)
				if name == "a.tif" && r.code == exitDone {
					continue // its directory comes last, and is whole
				}
				require.Equal(t, exitData, r.code, "%d bytes: %s", keep, r.stderr)
				require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
				require.True(t, strings.HasPrefix(r.stderr, "mgdl: "+name+": "), r.stderr)
				require.Equal(t, []string{name}, listing(t, dir))
			}
		})
	}
	// A header that promises more than there is room for is refused before there is any.
	dir := t.TempDir()
	huge := bytes.Clone(pictureFiles(t, gradient())["a.gif"])
	copy(huge[6:10], []byte{0xff, 0xff, 0xff, 0xff})
	r := command(t, "", "train", write(t, dir, "huge.gif", string(huge)))
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, "65,535 × 65,535 pixels")
}

func TestPictureUsage(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	path := write(t, dir, "a.png", string(pictureFiles(t, gradient())["a.png"]))
	picture := quickModel(t, path)
	table := quickModel(t, write(t, dir, "houses.csv", houses(60)))
	for _, c := range []struct{ args, want string }{
		{"predict " + picture + " --size 9 -o b.png", "want WIDTHxHEIGHT"},
		{"predict " + picture + " --size 0x9 -o b.png", "want WIDTHxHEIGHT"},
		{"predict " + picture + " --size 9x9", "-o FILE.png"},
		{"predict " + picture + " a.png --size 9x9 -o b.png", "unexpected argument"},
		{"predict " + picture + " a.png -o b.jpg", "pictures are written as .png"},
		{"predict " + picture + " houses.csv -o b.png", "--size WIDTHxHEIGHT"},
		{"predict " + picture + " a.png -o b.png --budget 1ms", "neither --budget"},
		{"predict " + table + " --size 9x9 -o b.png", "not one of a picture"},
		{"predict " + table + " houses.csv -o b.png", "not one of a picture"},
	} {
		before := listing(t, dir)
		r := command(t, "", strings.Fields(c.args)...)
		require.Equal(t, exitUsage, r.code, "%s: %s", c.args, r.stderr)
		require.Contains(t, r.stderr, c.want)
		require.Equal(t, before, listing(t, dir))
	}
	require.True(t, slices.Contains(listing(t, dir), "a.png"))
}

// TestPictureNotes: pages and frames that are not read are told.
func TestPictureNotes(t *testing.T) {
	frame := image.NewPaletted(image.Rect(0, 0, 20, 15), color.Palette{color.Black, color.White, color.Gray{99}})
	for i := range frame.Pix {
		frame.Pix[i] = uint8(i / 20 % 3)
	}
	var film bytes.Buffer
	require.NoError(t, gif.EncodeAll(&film, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1}}))
	dir := t.TempDir()
	r := mustRun(t, append(quick(write(t, dir, "film.gif", film.String())), "-o", filepath.Join(dir, "m.safetensors"))...)
	require.Contains(t, r.stdout, "the first of 2 frames")
}

// TestRealPictures reads the pictures of other programs, where they are.
func TestRealPictures(t *testing.T) {
	for _, c := range []struct {
		file   string
		pixels int
		names  string
		note   string
		err    string
	}{
		{"img_camera.png", 512 * 512, "intensity", "", ""},
		{"img_astronaut.png", 512 * 512, "r,g,b", "", ""},
		{"img_chessboard_GRAY_U16.tif", 40000, "intensity", "", ""},
		{"img_palette_color.png", 100, "r,g,b", "", ""},
		{"img_multipage.tif", 150, "intensity", "the first of 2 pages", ""},
		{"img_no_time_for_that_tiny.gif", 350, "r,g,b", "the first of 24 frames", ""},
		{"img_truncated.jpg", 0, "", "", "the picture is truncated"},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := filepath.Join("..", "..", "..", "shared", "data", c.file)
			if _, err := os.Stat(path); err != nil {
				t.Skipf("the picture is not here: %v", err)
			}
			data := table{path: path}
			d, info, sum, err := data.load(dataset.Options{})
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				require.Equal(t, exitData, exitCode(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.pixels, d.Rows)
			var names []string
			for _, column := range d.Schema.Targets {
				names = append(names, column.Name)
			}
			require.Equal(t, c.names, strings.Join(names, ","))
			if c.note != "" {
				require.Contains(t, info.Notes, c.note)
			}
			stat, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, stat.Size(), sum.Size)
		})
	}
}
