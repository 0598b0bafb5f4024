# One line per target: `make help`. Everything is made inside this folder (.venv/, .bin/) and made again only when needed.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

STACK ?= dev
#: Passed on to the program behind a target: `make demo ARGS="--format json"`, `make test ARGS="-k slice"`.
ARGS ?=
#: The Python that .venv is made of: 3.11 or newer.
PYTHON ?= $(shell command -v python3.11 || command -v python3)

VENV := .venv
PY := $(VENV)/bin/python
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
PACK := policy/.venv/.installed
PIP := $(PY) -m pip install --quiet --disable-pip-version-check

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUNTIME) ## preview, up, slice edit, destroy on the real engine without an account [STACK=dev]
	@$(PY) -m rehearsal.demo --stack $(STACK) $(ARGS)

.PHONY: rehearse
rehearse: $(RUNTIME) ## the same on a real Kubernetes with a real Karpenter [STACK=karpenter ARGS="--pods 100"]
	@$(PY) -m rehearsal.cluster build
	@$(PY) -m engine >/dev/null
	@$(PY) -m rehearsal.rehearse --stack $(STACK) $(ARGS)

.PHONY: setup
setup: $(DEV) $(PACK) ## .venv with everything that tests and checks need, and the policy pack's own

.PHONY: policy-pack
policy-pack: $(PACK) ## what `pulumi preview --policy-pack policy` runs on: policy/.venv

.PHONY: engine
engine: $(RUNTIME) ## the Pulumi CLI: from PATH, else built once into .bin/
	@$(PY) -m engine

.PHONY: control-plane
control-plane: $(RUNTIME) ## the programs of a real Kubernetes control plane, built once into .bin/
	@$(PY) -m rehearsal.cluster build

.PHONY: monitoring-tools
monitoring-tools: .bin/promtool .bin/kube-state-metrics ## what tests of monitoring run on, built once into .bin/

.PHONY: test
test: $(DEV) $(PACK) ## unit, program and engine tests [FULL=1 adds the slow ones]
	@$(PY) -m pytest -n auto --dist loadgroup $(if $(FULL),,-m "not full") tests/unit tests/program tests/engine $(ARGS)

.PHONY: test-cluster
test-cluster: $(DEV) ## tests on a real control plane [FULL=1 adds the slow ones]
	@$(PY) -m pytest -n 2 --dist loadfile tests/cluster $(if $(FULL),,-m "not full") $(ARGS)

.PHONY: check
check: $(DEV) lint-workflows lint-manifests ## lint, format, types, who may import whom, workflows, manifests
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/basedpyright
	$(VENV)/bin/lint-imports

.PHONY: lint-workflows
lint-workflows: .bin/actionlint ## GitHub workflows, by actionlint
	.bin/actionlint -shellcheck= -pyflakes=

.PHONY: lint-manifests
lint-manifests: .bin/kube-score $(RUNTIME) ## what every stack renders, by kube-score: no critical finding without an exemption
	@$(PY) tools/kube-score/lint_manifests.py .bin/kube-score

.PHONY: schema
schema: $(RUNTIME) ## regenerate stack-config.schema.json and docs/config.md after a change of the settings
	@$(PY) -m gpu_slices config-schema --out stack-config.schema.json
	@$(PY) -m gpu_slices config-schema --format markdown --out docs/config.md

.PHONY: fmt
fmt: $(DEV) ## format, and fix what lint can fix
	$(VENV)/bin/ruff format
	$(VENV)/bin/ruff check --fix

.PHONY: record-release
record-release: $(DEV) ## states of all stack files for the upgrade test, after a release [VERSION=v0.2.0]
	@$(PY) -m engine >/dev/null
	@$(PY) -W ignore -m tests.support.released $(VERSION)

.PHONY: bench-program
bench-program: $(RUNTIME) ## what running the program costs, against an empty one with as many resources
	@$(PY) -m benchmarks.program_overhead $(ARGS)

.PHONY: bench-review
bench-review: $(RUNTIME) ## how long a review of 100 pools takes, beside planning them
	@$(PY) -m benchmarks.review_speed $(ARGS)

.PHONY: clean
clean: ## remove .venv and caches; .bin/ stays, building it takes minutes
	rm -rf $(VENV) policy/.venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.bin/actionlint: tools/actionlint/go.mod tools/actionlint/go.sum | $(RUNTIME)
	@mkdir -p .bin
	@go=$$($(PY) -c 'from engine.binary import find_go, print_progress; print(find_go(print_progress))') && \
	cd tools/actionlint && "$$go" build -trimpath -o ../../.bin/actionlint github.com/rhysd/actionlint/cmd/actionlint

# Without service discovery, which pulls in every cloud's SDK: rules need none.
.bin/promtool: TAGS := -tags remove_all_sd
.bin/promtool: PACKAGE := github.com/prometheus/prometheus/cmd/promtool
.bin/kube-score: PACKAGE := github.com/zegl/kube-score/cmd/kube-score
.bin/kube-state-metrics: PACKAGE := k8s.io/kube-state-metrics/v2
.bin/promtool .bin/kube-score .bin/kube-state-metrics: .bin/%: tools/%/go.mod tools/%/go.sum | $(RUNTIME)
	@mkdir -p .bin
	@echo "building $* (some minutes the first time)"
	@go=$$($(PY) -c 'from engine.binary import find_go, print_progress; print(find_go(print_progress))') && \
	cd tools/$* && "$$go" build $(TAGS) -trimpath -ldflags '-s -w' -o ../../$@ $(PACKAGE)

$(PY):
	@"$(PYTHON)" -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	"$(PYTHON)" -m venv $(VENV)

$(RUNTIME): requirements.txt | $(PY)
	@echo "installing requirements.txt into $(VENV) (about a minute the first time)"
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt requirements-bench.txt $(RUNTIME)
	@echo "installing requirements-dev.txt into $(VENV)"
	@$(PIP) -r requirements-dev.txt
	@touch $@

$(PACK): policy/requirements.txt
	@echo "installing policy/requirements.txt into policy/.venv"
	@$(PYTHON) -m venv policy/.venv
	@policy/.venv/bin/python -m pip install --quiet --disable-pip-version-check -r policy/requirements.txt
	@touch $@
