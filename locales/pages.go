package locales

import "embed"

// What people read on pages outside the conversation stands in pages.LOCALE.yaml, in all four locales.
//
//go:embed pages.*.yaml
var pageFiles embed.FS

// LoadPages reads the embedded texts of pages.
func LoadPages() (*Bundle, error) { return load(pageFiles) }
