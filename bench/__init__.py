"""Benchmarks: they measure and print, as ratios within one run where there is something to compare;
they assert nothing.

make bench                             a few minutes
make bench ARGS="--quick"              below one minute: shows that all runs; its figures are coarse
make bench ARGS="--only extraction"    one part: storing, extraction, insertion, api
make bench ARGS="--json FILE"          the figures for a program as well
"""
