package main

import "slices"

// roles of a serving process.
type roles struct{ web, worker bool }

// parseRoles reads --roles.
func parseRoles(list []string) (roles, error) {
	r := roles{web: slices.Contains(list, "web"), worker: slices.Contains(list, "worker")}
	for _, name := range list {
		if name != "web" && name != "worker" {
			return roles{}, &saying{key: "bad_role", data: []any{"Role", name}, err: errUsage}
		}
	}
	if !r.web && !r.worker {
		return roles{}, &saying{key: "bad_role", data: []any{"Role", ""}, err: errUsage}
	}
	return r, nil
}
