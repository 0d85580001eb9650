"""What scripts/versus asks, runs and writes.

asked         subjects, workloads, and what is asked of coffer
machine       where it was measured, and how quiet it was
runs          building the programs and running them
figures       medians, spreads and ratios, and tables of them
peers         README.md: coffer and its peers
combinations  combinations.md: every combination of coffer's policies
shapes        shapes.md: entries of other sizes, and more of them
golite        golite.md: the workloads of the source document, and its goals
plots         the same as SVG
"""
