package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
)

//go:embed static templates
var embedded embed.FS

// staticFiles are the style sheet, the script and the icon, each under an address that holds its hash, so
// that browsers may keep them for good.
type staticFiles struct {
	byAddress map[string]staticFile
	address   map[string]string // by name
}

type staticFile struct {
	content []byte
	kind    string
}

func loadStatic() (*staticFiles, error) {
	files := &staticFiles{byAddress: map[string]staticFile{}, address: map[string]string{}}
	entries, err := fs.ReadDir(embedded, "static")
	if err != nil {
		return nil, fmt.Errorf("console: static files: %w", err)
	}
	for _, e := range entries {
		content, err := embedded.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("console: static files: %w", err)
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(e.Name())
		name := e.Name()[:len(e.Name())-len(ext)] + "." + hex.EncodeToString(sum[:6]) + ext
		files.byAddress[name] = staticFile{content, mime.TypeByExtension(ext)}
		files.address[e.Name()] = "/console/static/" + name
	}
	return files, nil
}

func (f *staticFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, ok := f.byAddress[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(file.content)
}
