"""Budgets of parameters and tokens, and which way is better.

| question | file |
|---|---|
| how many FLOP are 1000 GPU days? | `budget` |
| how is a budget best split? | `allocate` |
| how does the best size grow, by the optimum of each budget? | `isoflop`, by `parabola` |
| which other ways lead to the same loss? | `match`, by the numbers of `isoloss` |
| which of two runs is better? | `compare_runs` |
| which runs to make next? | `next_runs`, by `asked`, `goals`, `candidates` and `design` |
| and where a multiplier is to be known? | `factors` |
| what do they share? | `surface` |
| how are the answers shown? | `shown` |
"""
