# Everything here can be run again at any time; what is done already is not done twice.

PYTHON ?= python3.11
BIN := .venv/bin
INSTALLED := .venv/.installed
MANIFEST := dbt/target/manifest.json

.PHONY: run test check bench setup format clean

run: setup  ## Set up, bring in the sample library, start everything, print where to look.
	$(BIN)/alexandria ingest sample/library --name sample --questions sample/questions.csv
	$(BIN)/alexandria up \
		--suggest "Who dived for crate seventeen, and what can still be seen of it at night?" \
		--suggest "How was the lens kept turning in the gale of 1904?" \
		--suggest "¿Por qué levantaron los hermanos Arregui una cruz azul?"

test: setup  ## Set up and run every test.
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

check: setup  ## Format, lint, types and import contracts.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: setup  ## Measure; prints each figure with its goal and reference.
	$(BIN)/python -m bench

format: setup  ## Rewrite files as `make check` wants them.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: $(INSTALLED) $(MANIFEST)  ## Install into .venv, export the model, parse the dbt project.
	@$(BIN)/alexandria models export --quiet

$(MANIFEST): $(INSTALLED) $(shell find dbt -name target -prune -o -type f \( -name '*.sql' -o -name '*.yml' \) -print)
	$(BIN)/dbt --quiet parse --project-dir dbt --profiles-dir dbt
	@touch $@

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[development]'
	@touch $@

clean:  ## Remove what was installed and the library in .alexandria.
	rm -rf .venv .alexandria dbt/target
