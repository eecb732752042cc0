"""The record of a fit: draws, health, files; answers nothing by itself.

| question | file |
|---|---|
| what does a fit hold? | `posterior` |
| is it to be trusted? | `health`, judged by `checks` |
| how are several laws averaged? | `mixture` |
| what of one group, the average one, a new one? | `groups` |
| what if accuracies leave their law beyond the data? | `bends` |
| how dense are each row and the prior, and what would a new run be? | `pointwise` |
| which interval, which quantiles? | `intervals` |
| how are numbers and tables written for reading? | `display`; the tables of a fit: `shown` |
| how is it kept? | `storage`, by `signature`, `hdf5` and `files`; `arviz` for ArviZ's tools |
"""
