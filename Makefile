.DEFAULT_GOAL := help
.PHONY: help test build lint format up down logs status

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

up: ## start in the background (MODE=standalone|processes|compose, PORT=3000, DATA_DIR=./data)
	@scripts/up.sh

down: ## stop what up started
	@scripts/down.sh

status: ## tell whether it runs
	@scripts/status.sh

logs: ## follow its log
	@scripts/logs.sh

test: ## install what is missing, build, lint, run all tests
	@scripts/test.sh

build: ## compile everything
	@npm run --silent build

lint: ## check style, types of imports and the rules of the rooms
	@npm run --silent lint

format: ## apply the style
	@npm run --silent format
