# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# make site   from nothing to a finished Ray job, on a lab of this machine
# make test   all tests
# make down   ends the lab
# make bench  measures tasks beside those of other collections: docs/benchmarks.md (ONLY="tasks again" for some of it)

PYTHON ?= python3
BIN := .venv/bin
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/build/collections
export ANSIBLE_CALLBACK_RESULT_FORMAT := yaml
export ANSIBLE_LOCALHOST_WARNING := False
export ANSIBLE_INVENTORY_UNPARSED_WARNING := False

.PHONY: site test bench down clean

site: .venv/ready
	@$(BIN)/lab up
	@$(BIN)/lab doctor > /dev/null
	@$(BIN)/lab exec sh -c '$(CURDIR)/$(BIN)/ansible-playbook vcf.ray.site -e @$$LAB_STATE/vars.yml'
	@$(BIN)/lab tour

test: .venv/ready
	@tests/run

bench: .venv/ready build/bench/ready
	@$(BIN)/lab run --state build/bench-lab -- $(CURDIR)/$(BIN)/python -m benchmarks $(ONLY)

down:
	@if [ -x $(BIN)/lab ]; then $(BIN)/lab down; fi

clean: down
	rm -rf .venv build

.venv/ready: requirements.txt lab/pyproject.toml Makefile
	@echo "Installing Ansible, Ray and the lab into .venv (once, about two minutes)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check 'ansible-core>=2.16' -r requirements.txt -e ./lab
	@mkdir -p build/collections/ansible_collections/vcf
	@ln -sfn $(CURDIR) build/collections/ansible_collections/vcf/ray
	@touch $@

build/bench/ready: requirements.txt Makefile
	@echo "Installing the collections to compare with into build/bench (once, about a minute)"
	@$(PYTHON) -m venv build/bench
	@build/bench/bin/pip install --quiet --disable-pip-version-check 'ansible==12.3.0' kubernetes aiohttp matplotlib -r requirements.txt
	@touch $@
