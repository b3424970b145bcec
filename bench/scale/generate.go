package main

import (
	"bufio"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
)

// generate writes a table of rows of uniform features x1, x2, ... and the target y, a
// smooth function of the first five and noise, unless it is there. digits are those behind
// the point, 0 as many as it takes to read the same float64 back.
func generate(path string, rows, columns, digits int) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	line := []byte{}
	for j := range columns {
		line = append(strconv.AppendInt(append(line, 'x'), int64(j+1), 10), ',')
	}
	w.Write(append(line, "y\n"...))
	r := rand.New(rand.NewPCG(uint64(columns), 1))
	precision, format := digits, byte('f')
	if digits == 0 {
		precision, format = -1, 'g'
	}
	x := make([]float64, max(columns, 5))
	for range rows {
		line = line[:0]
		for j := range columns {
			x[j] = 2*r.Float64() - 1
			line = append(strconv.AppendFloat(line, x[j], format, precision, 64), ',')
		}
		y := math.Sin(3*x[0]+x[1]) + x[2]*x[3] + math.Abs(x[4]) + 0.1*r.NormFloat64()
		line = strconv.AppendFloat(line, y, format, precision, 64)
		w.Write(append(line, '\n'))
	}
	return errors.Join(w.Flush(), f.Close(), os.Rename(path+".part", path))
}
