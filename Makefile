.DEFAULT_GOAL := help
.PHONY: help test build lint format up down logs status

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

up: ## start a server in the background (MODE=standalone, PORT=3000, DATA_DIR=./data)
	@scripts/up.sh

down: ## stop it
	@scripts/down.sh

status: ## tell whether it runs
	@scripts/status.sh

logs: ## follow its log
	@tail -n 50 -f .run/$(or $(MODE),standalone).log

test: ## install what is missing, build, lint, run all tests
	@scripts/test.sh

build: ## compile everything
	@npm run --silent build

lint: ## check style, types of imports and the rules of the rooms
	@npm run --silent lint

format: ## apply the style
	@npm run --silent format
