"""The table of `make bench`: each figure beside what it is measured against, in turn, in one run."""

from bench.table.report import report

__all__ = ["report"]
