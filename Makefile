# One word for each thing one does here; `make` lists them. It needs make, sh and a Python 3.11 to 3.13, nothing else.

PORT ?= 8000
DATA_DIR ?= .local
STAGE ?=

START = exec sh tools/start.sh
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help run

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: ## run Strandline here: make run [PORT=8000] [DATA_DIR=.local]
	@$(START) --cloud --run tools.local_cloud --port '$(PORT)' --data-dir '$(DATA_DIR)'
