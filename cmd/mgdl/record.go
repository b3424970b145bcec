package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/multigrade/multigrade/mgdl"
)

// recordKey is the metadata key of a checkpoint's record.
const recordKey = "run"

// A record is what a checkpoint says about its run, so that mgdl train --resume needs no
// more than the file.
type record struct {
	Recipe  recipe      `json:"recipe"`
	Dir     string      `json:"dir"` // where the run was started; paths are as they were given there
	Data    string      `json:"data"`
	DataSum fingerprint `json:"data_sum"`
	ValData string      `json:"val_data,omitempty"`
	ValSum  fingerprint `json:"val_sum,omitzero"`
	Output  string      `json:"output"`
	Report  string      `json:"report,omitempty"`
}

// attach returns m with the record in its metadata.
func (r record) attach(m *mgdl.Model) (*mgdl.Model, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return m.WithMeta(recordKey, string(text)), nil
}

// readRecord returns the record in a checkpoint.
func readRecord(m *mgdl.Model) (record, error) {
	var r record
	text := m.Meta(recordKey)
	if text == "" {
		return r, errors.New("is not a checkpoint: it does not say how to continue")
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("cannot read the checkpoint's record: %w", err)
	}
	return r, nil
}

// locate returns where a path of the record is now: in the folder of the run, or, if
// that folder is gone, here.
func (r record) locate(path string) string {
	t := table{path: path}
	here, err := os.Getwd()
	if err != nil || here == r.Dir || t.file() == "" || filepath.IsAbs(path) {
		return path
	}
	if info, err := os.Stat(r.Dir); err != nil || !info.IsDir() {
		return path
	}
	return filepath.Join(r.Dir, path)
}

// same returns an error unless the table with fingerprint now is the one of then.
func same(t table, now, then fingerprint, checkpoint string) error {
	if now == then || now == (fingerprint{}) {
		return nil // the same, or not read to the end, which is an error of its own
	}
	what := fmt.Sprintf("%s bytes then and now, with other content", grouped(int(now.Size)))
	if now.Size != then.Size {
		what = fmt.Sprintf("%s bytes then, %s now", grouped(int(then.Size)), grouped(int(now.Size)))
	}
	return dataError("%s: not the data that %s was made from (%s; sha256 %.12s then, %.12s now)",
		t.name(), checkpoint, what, then.SHA256, now.SHA256)
}
