# One target per command; `make` lists them. It needs make, sh and a Python of tools/python-versions.

PORT ?= 8000
DATA_DIR ?= .local
STAGE ?=
BIN := .venv/bin
START := exec sh tools/start.sh
# Settings of a stage (tools/stages/options.py). One that is given on the command line may be empty.
SETTINGS := SIGN_UP DOMAIN CERTIFICATE_ARN HOSTED_ZONE_ID BASE_URL CORS_ORIGINS ALARM_EMAIL METRICS METRICS_SHARDS \
	METRICS_RETENTION_DAYS ARCHITECTURE LOG_RETENTION_DAYS DELETION_PROTECTION MAIL_FROM VERIFY_EMAILS WEB_APP_URL \
	OIDC_CLIENTS TWIIST_USER_IDS PARTNER_SECTORS REALM DASHBOARD THROTTLING_RATE THROTTLING_BURST DATA_QUOTA_MB BLOB_QUOTA_MB \
	DEVICE_STATUS_DAYS REQUESTS_AN_HOUR ACCESS_LOGS WAF WAF_REQUESTS_PER_ADDRESS
setting = $(if $(or $($(1)),$(findstring command,$(origin $(1)))),'$(1)=$($(1))')
sign_in = $(if $(WEB_APP_URL),--web-app-url '$(WEB_APP_URL)') $(if $(OIDC_CLIENTS),--oidc-clients '$(OIDC_CLIENTS)') \
	$(if $(REALM),--realm '$(REALM)')
quotas = $(if $(DATA_QUOTA_MB),--data-quota-mb '$(DATA_QUOTA_MB)') $(if $(BLOB_QUOTA_MB),--blob-quota-mb '$(BLOB_QUOTA_MB)') \
	$(if $(DEVICE_STATUS_DAYS),--device-status-days '$(DEVICE_STATUS_DAYS)') \
	$(if $(REQUESTS_AN_HOUR),--requests-an-hour '$(REQUESTS_AN_HOUR)')
given_data_dir = $(if $(filter-out file,$(origin DATA_DIR)),--data-dir '$(DATA_DIR)')
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help serve run demo pictures check openapi test pythons e2e soak faults interleavings fuzz power-loss mutants bench package wheel release version-data deploy destroy user stage rotate-keys environment cloud-environment checkov-environment fuzz-environment e2e-environment stage-given clean

help: ## list all targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

serve: ## run a server on this machine that keeps your data: make serve [PORT=8000] [DATA_DIR=~/.local/share/strandline]
	@$(START) --home --run strandline.cli serve --port '$(PORT)' $(given_data_dir) \
		$(if $(CORS_ORIGINS),--cors-origins '$(CORS_ORIGINS)') $(if $(SIGN_UP),--sign-up '$(SIGN_UP)') \
		$(if $(ALLOW_LOCAL_WEB_APPS),--allow-local-web-apps) $(sign_in) $(quotas)

run: ## run the package for AWS on a local cloud until Ctrl-C: make run [PORT=8000] [DATA_DIR=.local] [BASE_URL=...]
	@$(START) --cloud --run tools.local_cloud --port '$(PORT)' --data-dir '$(DATA_DIR)' \
		$(if $(CORS_ORIGINS),--cors-origins '$(CORS_ORIGINS)') $(if $(BASE_URL),--base-url '$(BASE_URL)') \
		$(sign_in) $(quotas)

demo: ## send a synthetic month, read it back and compare it: make demo [DAYS=30] [SEED=1] [BASE_URL=...]
	@$(START) --home --run tools.demo --port '$(PORT)' $(given_data_dir) \
		$(if $(DAYS),--days '$(DAYS)') $(if $(SEED),--seed '$(SEED)')

pictures: environment ## take the pictures of the page again, with the data of make demo; needs Chromium
	@$(BIN)/python -m tools.pictures

check: checkov-environment ## check style, types, import contracts, API description and templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tools.openapi --check
	$(BIN)/python -m tools.package local
	$(BIN)/cfn-lint infra/stateful.yaml build/local/template.json
	.venv-checkov/bin/checkov --config-file infra/checkov.yaml

openapi: environment ## write the API description to docs/openapi.json
	@$(BIN)/python -m tools.openapi

test: environment ## run all tests that need no cloud, in 3 to 10 minutes by the number of cores
	$(BIN)/pytest -n auto --dist worksteal

pythons: environment ## import the application on the oldest and the newest Python here; run the unit tests on what is not that of .venv
	@$(BIN)/python -m tools.pythons

e2e: e2e-environment ## test the home server, and the packaged application on a local cloud of its own
	$(BIN)/pytest -n 2 --dist loadgroup tests/e2e

soak: ## send mixed traffic to a server that is killed in between, and compare everything: make soak [MINUTES=10] [CLIENTS=8] [TARGET=home|cloud|http://...] [SEED=1] [KEEP=1]
	@$(START) $(if $(filter cloud,$(TARGET)),--cloud,--home) --run tools.soak $(if $(MINUTES),--minutes '$(MINUTES)') \
		$(if $(CLIENTS),--clients '$(CLIENTS)') $(if $(TARGET),--target '$(TARGET)') $(if $(SEED),--seed '$(SEED)') \
		$(if $(KEEP),--keep)

faults: environment ## let calls of the engine fail at each point of each use case: make faults [FAULTS=100000] [SEEDS=20] [MINUTES=30] [ENGINE=sqlite|dynamodb|both] [SERVER=memory|moto] [KEEP=1]
	@$(BIN)/python -m tests.faults faults $(if $(FAULTS),--faults '$(FAULTS)') $(if $(SEEDS),--seeds '$(SEEDS)') \
		$(if $(MINUTES),--minutes '$(MINUTES)') $(if $(ENGINE),--engine '$(ENGINE)') $(if $(SERVER),--server '$(SERVER)') \
		$(if $(KEEP),--keep)

interleavings: environment ## run each request between any two calls of each other one: make interleavings [PAIRS=200] [MINUTES=30] [ENGINE=sqlite|dynamodb|both] [SERVER=memory|moto] [KEEP=1]
	@$(BIN)/python -m tests.faults interleavings $(if $(PAIRS),--pairs '$(PAIRS)') \
		$(if $(MINUTES),--minutes '$(MINUTES)') $(if $(ENGINE),--engine '$(ENGINE)') $(if $(SERVER),--server '$(SERVER)') \
		$(if $(KEEP),--keep)

fuzz: fuzz-environment ## send requests made from the description and hostile ones to a server, and try the command line: make fuzz [MINUTES=10] [SEED=1] [TARGET=http://...] [KEEP=1]
	@$(BIN)/python -m tools.fuzz $(if $(MINUTES),--minutes '$(MINUTES)') $(if $(SEED),--seed '$(SEED)') \
		$(if $(TARGET),--target '$(TARGET)') $(if $(KEEP),--keep)

power-loss: environment ## cut the power of a home server and compare what is left with its answers; needs strace: make power-loss [STATES=200] [SEED=1] [KEEP=1]
	@$(BIN)/python -m tools.power_loss $(if $(STATES),--states '$(STATES)') $(if $(SEED),--seed '$(SEED)') $(if $(KEEP),--keep)

mutants: environment ## make one rule at a time wrong in a copy of the sources, and see that the tests notice: make mutants [ONLY=fold,17] [KEEP=1]
	@$(BIN)/python -m tools.mutants $(if $(ONLY),--only '$(ONLY)') $(if $(KEEP),--keep)

bench: cloud-environment ## measure time, calls, memory and cost, and write build/bench.json: make bench [QUICK=1] [PEERS=name=http://address,...]
	@$(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(PEERS),--peers "$(PEERS)")

package: stage-given environment ## build the zip and the template of a stage: make package STAGE=prod
	@$(BIN)/python -m tools.package '$(STAGE)'

wheel: environment ## build the wheel with the command line, the home server and the pytest plugin into build/dist
	@$(BIN)/hatchling build -t wheel -d build/dist

release: environment ## write a version into the sources, build its artifacts, print the rest: make release VERSION=0.2.0 [DRY_RUN=1]
	@test -n '$(VERSION)' || { echo 'error: no version is named; add VERSION=0.2.0, for example.' >&2; exit 1; }
	@$(BIN)/python -m tools.release '$(VERSION)' $(if $(DRY_RUN),--dry-run)

version-data: environment ## keep the data that this version writes, for the tests of upgrades: make version-data VERSION=0.2.0
	@test -n '$(VERSION)' || { echo 'error: no version is named; add VERSION=0.2.0, for example.' >&2; exit 1; }
	@$(BIN)/python -m tools.version_data '$(VERSION)'

deploy: stage-given environment ## show the changes, ask, and deploy a stage to your AWS account: make deploy STAGE=prod
	@$(BIN)/python -m tools.deploy '$(STAGE)' $(foreach name,PROFILE $(SETTINGS),$(call setting,$(name))) \
		$(if $(PACKAGE),--package '$(PACKAGE)') $(if $(YES),--yes) $(if $(HELP),--help)

destroy: stage-given environment ## remove a stage's application from AWS and keep its data: make destroy STAGE=prod
	@$(BIN)/python -m tools.destroy '$(STAGE)' $(if $(DATA),--data '$(DATA)') \
		$(if $(CONFIRM),--confirm '$(CONFIRM)') $(if $(YES),--yes) $(if $(HELP),--help)

user: environment ## create an account, print a link to a new password, or confirm an address: make user EMAIL=anna@example.org [STAGE=prod] [ROLE=clinic] [RESET=1 | CONFIRM=1]
	@$(BIN)/python -m tools.user '$(or $(STAGE),local)' '$(EMAIL)' --data-dir '$(DATA_DIR)' $(if $(ROLE),--role '$(ROLE)') $(if $(RESET),--reset) $(if $(CONFIRM),--confirm)

stage: environment ## print users, last data, storage, failed tasks and refused uploads: make stage [STAGE=prod]
	@$(BIN)/python -m tools.stage '$(or $(STAGE),local)' --data-dir '$(DATA_DIR)'

rotate-keys: stage-given environment ## sign a stage's ID tokens with a new key: make rotate-keys STAGE=prod
	@$(BIN)/python -m tools.rotate_keys '$(STAGE)'

clean: ## remove build output and caches; environments and data folders stay
	rm -rf build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

environment:
	@sh tools/start.sh

cloud-environment:
	@sh tools/start.sh --cloud

fuzz-environment:
	@sh tools/start.sh --fuzz

e2e-environment:
	@sh tools/start.sh --e2e

checkov-environment:
	@sh tools/start.sh --checkov

stage-given:
	@test -n '$(STAGE)' || { echo 'error: no stage is named; add STAGE=prod, for example.' >&2; exit 1; }
