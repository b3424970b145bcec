package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/gif"
	_ "image/jpeg" // formats of image.Decode
	"image/png"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	_ "golang.org/x/image/tiff"

	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
)

// pictureExtensions are those of files that are read as pictures.
var pictureExtensions = []string{".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff"}

// decodePicture reads the first picture of a file, and returns a sentence about others in
// it, if there are any. It looks at the size before it makes room for the pixels.
func decodePicture(f io.ReaderAt, size int64, name string) (m image.Image, note string, err error) {
	all := func() io.Reader { return io.NewSectionReader(f, 0, size) }
	config, format, err := image.DecodeConfig(all())
	if err != nil {
		return nil, "", pictureError(name, err)
	}
	if config.Width < 1 || config.Height < 1 || config.Width > dataset.MaxPixels/config.Height {
		return nil, "", &dataset.Error{File: name, Msg: fmt.Sprintf("the picture has %s × %s pixels, want 1 to %s",
			grouped(config.Width), grouped(config.Height), grouped(dataset.MaxPixels))}
	}
	switch format {
	case "gif":
		var film *gif.GIF
		if film, err = gif.DecodeAll(all()); err == nil {
			m = film.Image[0]
			if n := len(film.Image); n > 1 {
				note = fmt.Sprintf("the first of %d frames", n)
			}
		}
	case "tiff":
		if n := tiffPages(f); n > 1 {
			note = fmt.Sprintf("the first of %d pages", n)
		}
		fallthrough
	default:
		m, _, err = image.Decode(all())
	}
	if err != nil {
		return nil, "", pictureError(name, err)
	}
	return m, note, nil
}

func pictureError(name string, err error) error {
	msg := "the picture cannot be read: " + err.Error()
	switch {
	case errors.Is(err, image.ErrFormat):
		msg = "is no PNG, JPEG, GIF or TIFF picture"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		strings.Contains(err.Error(), "not enough"): // as png and gif have it
		msg = "the picture is truncated"
	}
	return &dataset.Error{File: name, Msg: msg}
}

// tiffPages counts the pages of a TIFF file, the directories of its chain, up to 1,000.
func tiffPages(f io.ReaderAt) int {
	const most, entry = 1000, 12
	var head [8]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 'M' {
		order = binary.BigEndian
	}
	pages := 0
	for at := int64(order.Uint32(head[4:])); at != 0 && pages < most; pages++ {
		var count [2]byte
		if _, err := f.ReadAt(count[:], at); err != nil {
			break
		}
		var next [4]byte
		if _, err := f.ReadAt(next[:], at+2+entry*int64(order.Uint16(count[:]))); err != nil {
			return pages + 1
		}
		at = int64(order.Uint32(next[:]))
	}
	return pages
}

// A size is the width and height of a picture, as in 512x512.
type size struct{ width, height int }

func parseSize(s string) (size, error) {
	w, h, ok := strings.Cut(strings.ToLower(s), "x")
	width, err1 := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	if !ok || err1 != nil || err2 != nil || width < 1 || height < 1 || width > dataset.MaxPixels/height {
		return size{}, fmt.Errorf("%q: want WIDTHxHEIGHT such as 512x512, at most %s pixels", s, grouped(dataset.MaxPixels))
	}
	return size{width, height}, nil
}

func isPicture(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	for _, e := range pictureExtensions {
		if ext == e {
			return true
		}
	}
	return false
}

// draw writes the picture that a model makes at a size, as PNG.
func draw(w io.Writer, m *mgdl.Model, s size) error {
	p := m.NewPredictor()
	targets := len(m.Schema().Targets)
	values := make([]float64, 0, targets*s.width*s.height)
	for x := dataset.Pixels(s.width, s.height); len(x) > 0; {
		n := min(len(x), 2*batchRows)
		values = p.Predict(values, x[:n])
		x = x[n:]
	}
	return png.Encode(w, dataset.Picture(values, targets, s.width, s.height))
}
