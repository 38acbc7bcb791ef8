package main

import (
	"fmt"
	"os"
)

type templateCmd struct {
	Apply templateApplyCmd `cmd:"" name:"apply"`
}

type templateApplyCmd struct {
	File string `name:"file" short:"f" required:"" placeholder:"FILE"`
}

// Run registers the templates of a file.
func (c *templateApplyCmd) Run(a *app) error {
	return withCampaigns(a, func(r campaignRun) error {
		raw, err := os.ReadFile(c.File)
		if err != nil {
			return err
		}
		n, err := r.all.Service.ApplyTemplates(a.ctx, osActor(), raw)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.stdout, a.texts.t("template_applied", "Count", n))
		return nil
	})
}
