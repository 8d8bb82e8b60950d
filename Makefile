# Every command of the project. Each says what it does, can be repeated, and cleans up after Ctrl-C.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build cluster cluster-stop demo test upgrade-check test-all-pg test-packages lint bench package

help: ## Lists the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: ## Installs what is missing: Debian packages, cargo-pgrx, a private copy of PostgreSQL (2 min, then 1 s)
	@scripts/setup.sh

build: setup ## Builds the extension and installs it into the private PostgreSQL (2 min, then seconds)
	@scripts/build.sh

cluster: ## Starts a private PostgreSQL with pg_cron, the CRM tables and the extension; prints DATABASE_URL
	@scripts/cluster.sh start

cluster-stop: ## Stops that PostgreSQL and removes its data
	@scripts/cluster.sh stop

demo: ## Scores a sample CRM and prints what needs attention and why (KEEP=1 leaves it running)
	@scripts/demo.sh

test: ## Runs every test on private clusters, some on a newer major too (about 20 min from nothing, then 6 min)
	@scripts/test.sh

upgrade-check: ## Compares an upgraded extension with a fresh one, and names what the upgrade script lacks (seconds)
	@scripts/test.sh --quiet -p crm-health-tests --test upgrade

test-all-pg: ## Runs the database tests on every major that can be had: 14, 16, 17, 18 (about 4 min each from nothing, then 2)
	@scripts/pg-majors.sh

test-packages: ## Installs, upgrades and purges the packages in a bare Debian, runs the image's steps, compares two builds (root; 15 min, then 10)
	@scripts/test-packages.sh

lint: ## Checks format, lints, docs, SQL and advisories (about 10 min from nothing)
	@scripts/lint.sh

bench: ## Measures the refresh and the sync beside their peers on generated data (about 30 min)
	@scripts/bench.sh

package: ## Builds Debian packages of the extension and of the daemon into target/packages (10 min, then 1 min)
	@scripts/package.sh
