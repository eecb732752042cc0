"""Budgets of parameters and tokens.

| question | file |
|---|---|
| how many FLOP are 1000 GPU days? | `budget` |
| how is a budget best split? | `allocate` |
| how does the best size grow, by the optimum of each budget? | `isoflop`, by `parabola` |
| which other ways lead to the same loss? | `match`, by the numbers of `isoloss` |
| which of two runs is better? | `compare_runs` |
| what do they share? | `surface` |
| how are the answers shown? | `shown` |
"""
