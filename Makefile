# On a fresh machine: `make quickstart` and `make test`. Each creates .venv itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The article that `make quickstart` tags, and overrides of its config (ARGS="training.epochs=3").
ARTICLE ?= examples/article.txt
ARGS ?=
RUN := runs/quickstart

.PHONY: quickstart test test-long lint docs clean

quickstart: $(VENV)/.installed
	$(BIN)/rasid train quickstart $(ARGS)
	$(BIN)/rasid tag $(RUN)/bundle $(ARTICLE) --output $(RUN)/tagged.jsonl
	$(BIN)/rasid tag $(RUN)/bundle $(ARTICLE) --to text

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto --dist worksteal

test-long: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m long

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.installed-dev
	PYTHONUTF8=1 $(BIN)/python -m rasid.configs.reference > docs/config.md

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[onnx,tensorboard]"
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[inception,onnx,spacy,tensorboard,dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info runs/quickstart
