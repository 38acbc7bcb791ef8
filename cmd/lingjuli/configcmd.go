package main

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

type configCmd struct {
	Markdown bool `name:"markdown"`
}

// Run lists the configuration variables with their defaults. It needs no database and no key.
func (c *configCmd) Run(a *app) error {
	if c.Markdown {
		return configTable(a.stdout, a.texts)
	}
	for _, v := range variables() {
		fmt.Fprintf(a.stdout, "%-36s %-32s %s\n", v.name, v.fallback, a.texts.t(v.key))
	}
	return nil
}

type variable struct{ name, fallback, key string }

// variables are read off the settings themselves, so that the table cannot differ from the code.
func variables() []variable {
	var list []variable
	t := reflect.TypeFor[settings]()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		flag := tag.Get("name")
		list = append(list, variable{envName(flag), tag.Get("default"), "var_" + strings.ReplaceAll(flag, "-", "_")})
	}
	return list
}

// configTable writes the README's table.
func configTable(out io.Writer, w texts) error {
	if _, err := fmt.Fprintf(out, "| %s | %s | %s |\n|---|---|---|\n", w.t("var_variable"), w.t("var_meaning"), w.t("var_default")); err != nil {
		return err
	}
	for _, v := range variables() {
		fallback := v.fallback
		if fallback != "" {
			fallback = "`" + fallback + "`"
		}
		if _, err := fmt.Fprintf(out, "| `%s` | %s | %s |\n", v.name, w.t(v.key), fallback); err != nil {
			return err
		}
	}
	return nil
}
