# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# make site       from nothing to a finished Ray job, on a lab of this machine
# make test       the tests of a change
# make test-all   and the long ones, before a release
# make down       ends the lab
# make bench      measures tasks beside those of other collections: docs/benchmarks.md (ONLY="tasks again" for some of it)
# make docs       the documentation as a site, in build/docs/html
# make checks     what looks at the source only; .venv/bin/nox -l lists every check, .venv/bin/nox -s NAME runs one alone
# make changelog  brings CHANGELOG.rst up to the fragments and to the version in galaxy.yml
# make release    all but the upload: refusals, release notes, tests, the artifact in build/release, the tag

PYTHON ?= python3
BIN := .venv/bin
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/build/collections
export ANSIBLE_CALLBACK_RESULT_FORMAT := yaml
export ANSIBLE_LOCALHOST_WARNING := False
export ANSIBLE_INVENTORY_UNPARSED_WARNING := False

.PHONY: site test test-all bench docs checks changelog release down clean

site: .venv/ready
	@$(BIN)/lab up
	@$(BIN)/lab doctor > /dev/null
	@$(BIN)/lab exec sh -c '$(CURDIR)/$(BIN)/ansible-playbook vcf.ray.site -e @$$LAB_STATE/vars.yml'
	@$(BIN)/lab tour

test: .venv/ready
	@tests/run

test-all: .venv/ready
	@tests/run all

bench: .venv/ready build/bench/ready
	@$(BIN)/lab run --state build/bench-lab -- $(CURDIR)/$(BIN)/python -m benchmarks $(ONLY)

docs: .venv/ready build/docsite/ready
	@build/docsite/bin/python docs/docsite/build.py --dest $(CURDIR)/build/docs

checks: .venv/tools
	@$(BIN)/nox

changelog: .venv/tools
	@$(BIN)/python -m release changelog

release: .venv/tools build/importer/ready
	@$(BIN)/python -m release ready
	@$(BIN)/python -m release changelog
	@$(BIN)/python -m release commit
	@$(BIN)/python -m release tested 2> /dev/null || { tests/run all && $(BIN)/python -m release tested; }
	@$(BIN)/python -m release build
	@$(BIN)/python -m release importer
	@$(BIN)/python -m release tag

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

.venv/tools: .venv/ready tests/requirements.txt tests/unit/requirements.txt
	@echo "Installing what the tests need into .venv (once, about a minute)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

build/docsite/ready: docs/docsite/requirements.txt requirements.txt
	@echo "Installing what builds the documentation into build/docsite (once, about half a minute)"
	@$(PYTHON) -m venv build/docsite
	@build/docsite/bin/pip install --quiet --disable-pip-version-check -r docs/docsite/requirements.txt
	@touch $@

build/importer/ready: Makefile
	@echo "Installing Galaxy's importer into build/importer (once, about half a minute)"
	@$(PYTHON) -m venv build/importer
	@build/importer/bin/pip install --quiet --disable-pip-version-check 'galaxy-importer>=0.4.30'
	@touch $@

build/bench/ready: requirements.txt Makefile
	@echo "Installing the collections to compare with into build/bench (once, about a minute)"
	@$(PYTHON) -m venv build/bench
	@build/bench/bin/pip install --quiet --disable-pip-version-check 'ansible==12.3.0' kubernetes aiohttp matplotlib -r requirements.txt
	@touch $@
