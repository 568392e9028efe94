# make demo   install, then the main job on scikit-learn's digits
# make test   install, then lint and every test

VENV ?= .venv
PYTHON ?= python3
RUN_DIR ?= runs/demo
EXPORT_DIR ?= exports
export TF_CPP_MIN_LOG_LEVEL ?= 2

BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: install demo test lint format clean

install: $(INSTALLED)

$(INSTALLED): setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[tf-cpu,dev]"
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps tensorflow-serving-api==2.21.0
	touch $@

demo: $(INSTALLED)
	$(BIN)/python tools/train.py --model=mnist_infogan --dataset=digits --steps=700 \
	    --sweep_every=100 --run_dir=$(RUN_DIR)
	$(BIN)/python tools/evaluate.py --run_dir=$(RUN_DIR)
	$(BIN)/python tools/traverse.py --run_dir=$(RUN_DIR)
	$(BIN)/python tools/export.py --run_dir=$(RUN_DIR) --export_dir=$(EXPORT_DIR)
	@echo
	@echo "Sweeps, one picture per code:  $(RUN_DIR)/traversals/"
	@echo "Report, one page with all:     $(RUN_DIR)/report.html"
	@echo "Scores:                        $(RUN_DIR)/metrics.json"
	@echo "SavedModel for TF Serving:     $(EXPORT_DIR)/mnist_infogan/"
	@echo "Watch what the codes learned:  $(BIN)/tensorboard --logdir=$(RUN_DIR) --samples_per_plugin images=100"

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

test: lint
	$(BIN)/python -m pytest -n 2 --dist=worksteal

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info runs exports
