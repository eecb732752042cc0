"""From files as people have them to a table with one row a run; no JAX here.

| question | file |
|---|---|
| how is a file read? | `read_table` |
| which delimiter, which decimal sign? | `dialect` |
| how are JSON records read? | `records` |
| Parquet, Feather, Excel? | `binary` |
| how do columns side by side become rows? | `to_long` |
| how do results of lm-evaluation-harness become a table? | `lm_eval` |
| exports of Weights & Biases? | `wandb`; what they do not say of models: `join` |
"""
