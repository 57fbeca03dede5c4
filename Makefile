# Everything a developer or a newcomer types. `make` alone says what there is.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
FUZZ_S ?= 60
JOBS   ?= 2
MAN    ?= man
# The tests start programs hundreds of times: each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check format compare crash mutate soak imap-soak peers fuzz man wheel lock clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

$(READY): pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Paperpath needs Python 3.11 or later; name one with: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: $(READY) ## set everything up under var/ and start it; Ctrl-C stops it
	@test -e var/paperpath.toml || $(BIN)/paperpath init var
	@exec $(BIN)/paperpath up --config var/paperpath.toml

test: $(READY) ## the whole test suite, as CI runs it
	$(BIN)/pytest --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder $(ARGS)

check: $(READY) ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

compare: $(READY) ## measure beside Postfix, in turns: about an hour; ARGS="--quick" for some minutes, ARGS=--help
	$(BIN)/python -m bench.compare $(ARGS)

crash: $(READY) ## let the programs die at every call that touches mail, then balance the books; ARGS=--help
	$(BIN)/python -m tests.crash $(ARGS)

mutate: $(READY) ## change the code in one line at a time, and see that the test of each promise notices; ARGS=--help
	$(BIN)/python -m tests.mutate $(ARGS)

soak: $(READY) ## ten minutes of mixed load, deaths, reloads and clock jumps, then judge all of it; ARGS="--seconds 60"
	$(BIN)/python -m tests.soak $(ARGS)

imap-soak: $(READY) ## two minutes of random IMAP clients on one mailbox while imapd dies, then judge it; ARGS=--help
	$(BIN)/python -m tests.imap_soak $(ARGS)

$(VENV)/.fuzz: requirements-fuzz.lock $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.lock
	touch $@

$(VENV)/.interop: requirements-interop.lock $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --use-pep517 --require-hashes -r requirements-interop.lock
	touch $@

peers: $(VENV)/.interop ## install the peers that come from no distribution; without them their tests are skipped

fuzz: $(VENV)/.fuzz ## look for inputs that break an invariant, FUZZ_S seconds a target
	$(BIN)/python -m tests.fuzz.run --seconds $(FUZZ_S) $(ARGS)

man: $(READY) ## write the man pages below man/, or where MAN says; then: man -M man mailq
	$(BIN)/python -m manual $(MAN)

wheel: man ## build the wheel below dist/, with the man pages in it
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

lock: $(READY) ## resolve the dependencies anew
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	$(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 --group dev pyproject.toml -o requirements.lock
	$(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 --group fuzz -o requirements-fuzz.lock
	$(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 --group interop -o requirements-interop.lock

clean: ## remove what was made here, mail under var/ excepted
	rm -rf $(VENV) dist man .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .fuzz
