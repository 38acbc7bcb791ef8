# Everything a person does here by hand. `make` alone lists it.

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOFUMPT       := mvdan.cc/gofumpt@v0.12.0
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# What is measured; each prints its bare cost beside it.
BENCHES := ./bot ./cmd/... ./flows/... ./internal/store

# Tests run beside a PostgreSQL and a Redis of their own, which end with them.
SERVICES := bin/testservices
WITH     := $(SERVICES) --

# The race detector watches our code and the libraries, but not SQLite itself, which was C: there it can find nothing of ours, and
# it and the check of unsafe pointers took most of the time. The driver and libc stay watched, for what they share with us. Tests
# mostly wait for clocks and databases, so more of them run side by side than there are cores.
RACE := -race -gcflags=modernc.org/...=-d=checkptr=0 -gcflags=modernc.org/sqlite/lib=-race=false -parallel 4

.DEFAULT_GOAL := help
.PHONY: help run build test race e2e e2e-large browser fuzz bench bench-campaign bench-conversations understand lint fmt generate verify vuln setup ci clean $(SERVICES)

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-20s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: build ## a fictional county in one process: console, phones, WeChat and SMS stand-ins
	@exec bin/lingjuli demo

build: ## bin/lingjuli, one static binary
	@CGO_ENABLED=0 go build -trimpath -o bin/lingjuli ./cmd/lingjuli

test: setup $(SERVICES) ## every test under the race detector, with PostgreSQL, Redis and Chromium
	@$(WITH) go test $(RACE) -timeout 40m ./...

race: setup $(SERVICES) ## what runs side by side, three times over in shuffled order
	@$(WITH) go test $(RACE) -count=3 -shuffle=on ./bot/... ./notify/... ./flows/turn/... ./internal/store/...

e2e: setup $(SERVICES) ## kill workers in the middle of campaigns, on both databases; two, four and eight on one campaign
	@$(WITH) go test -tags e2e -count=1 -timeout 30m -v -run "^Test(NobodyTwiceNobodyNeverWhere|TwoFourAndEightWorkers)" ./cmd/lingjuli

e2e-large: setup $(SERVICES) ## N=100000 people, 8 workers, KILLS=100, Redis emptied and PostgreSQL restarted twice
	@LINGJULI_E2E_N=$(or $(N),100000) LINGJULI_E2E_KILLS=$(or $(KILLS),100) $(WITH) \
		go test -tags e2e -count=1 -timeout 2h -v -run TestNobodyTwiceNobodyNeverInALargeCampaign ./cmd/lingjuli

browser: setup $(SERVICES) ## the console and the phones in Chromium; pictures in bin/screenshots
	@mkdir -p bin/screenshots
	@LINGJULI_TEST_SCREENSHOTS=$(CURDIR)/bin/screenshots $(WITH) go test -count=1 -run Browser -v ./cmd/... ./internal/console ./internal/sandbox

fuzz: ## every fuzz test for FUZZTIME (10s) each
	@.ci/fuzz

bench: $(SERVICES) ## callback, campaign and conversation beside their bare cost
	@$(SERVICES) -durable -- go test -run '^$$' -bench . -benchmem -timeout 10m $(BENCHES)

bench-campaign: $(SERVICES) ## a campaign to N=100000 people beside its floor; WORKERS="1 2 4 1+4", CAP=100/24h as wished
	@LINGJULI_BENCH_N=$(or $(N),100000) LINGJULI_BENCH_WORKERS="$(WORKERS)" LINGJULI_BENCH_CAP="$(CAP)" $(SERVICES) -durable -- \
		go test -run '^$$' -bench '^BenchmarkCampaign$$' -benchtime 1x -timeout 4h ./cmd/lingjuli

bench-conversations: $(SERVICES) ## TALKERS=300 people at once, LINES=50 messages each, beside a bare echo
	@LINGJULI_BENCH_TALKERS=$(or $(TALKERS),300) LINGJULI_BENCH_LINES=$(or $(LINES),50) $(SERVICES) -durable -- \
		go test -run '^$$' -bench '^BenchmarkConversations$$' -benchtime 1x -timeout 1h ./cmd/lingjuli

understand: ## how well people are understood: our examples, and a labelled file beside the repository
	@go run ./flows/understand/evaluate

lint: ## golangci-lint with the house's rules
	@go run $(GOLANGCI_LINT) run --allow-serial-runners ./...

fmt: ## format as gofumpt does
	@go run $(GOFUMPT) -w .

generate: ## draw again what is drawn from code: diagrams, README tables
	@go generate ./...
	@.ci/generate

verify: ## formatting, go.mod and generated files are up to date
	@.ci/verify

vuln: ## known holes in what we depend on
	@.ci/vuln $(GOVULNCHECK)

setup: ## install what the tests need and this machine lacks, and say what
	@.ci/setup

ci: ## what a change must pass
	@.ci/run

clean: ## remove what was built
	@rm -rf bin

$(SERVICES):
	@go build -o $@ ./internal/testservices
