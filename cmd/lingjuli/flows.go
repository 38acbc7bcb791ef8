package main

import "fmt"

type flowsCmd struct {
	Lint  flowsLintCmd  `cmd:"" name:"lint"`
	Graph flowsGraphCmd `cmd:"" name:"graph"`
}

type flowsLintCmd struct{}

// Run prints what is wrong with the flows, a line each.
func (c *flowsLintCmd) Run(a *app) error {
	if _, err := a.config(); err != nil {
		return err
	}
	book, err := builtInFlows()
	if err != nil {
		return err
	}
	texts, err := builtInTexts()
	if err != nil {
		return err
	}
	findings := book.Lint(texts)
	for _, f := range findings {
		fmt.Fprintln(a.stdout, f)
	}
	if len(findings) > 0 {
		return say("lint_found", "Count", len(findings))
	}
	fmt.Fprintln(a.stdout, a.texts.t("lint_fine"))
	return nil
}

type flowsGraphCmd struct {
	Markdown bool `name:"markdown"`
}

// Run draws the flows as mermaid: all as one, or one after the other as a page.
func (c *flowsGraphCmd) Run(a *app) error {
	if _, err := a.config(); err != nil {
		return err
	}
	book, err := builtInFlows()
	if err != nil {
		return err
	}
	if c.Markdown {
		_, err = fmt.Fprint(a.stdout, book.Graphs())
		return err
	}
	_, err = fmt.Fprintln(a.stdout, book.Graph())
	return err
}
