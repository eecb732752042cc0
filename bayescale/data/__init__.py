"""From a table of runs to a checked `Dataset`; no JAX here.

| question | file |
|---|---|
| how is a data frame, or a mapping of arrays, read? | `table`; columns given as they are: `given` |
| which columns are scales, responses and labels? | `from_frame` |
| how does `params_b*1e9` become a column? | `expression` |
| when is a cell a number? | `cells` |
| what is checked and kept? | `dataset` |
| what is said of odd tables? | `notes` |
| of what they call scales, and of responses? | `scales`, `embeddings`; `responses`, `accuracies` |
| of counts and percent where shares should stand? | `shares` |
| do rows depend on each other? | `dependent`; the best setting of a sweep: `best` |
| how does `6e18*N*D` become a function, such as a cost? | `formula` |
"""
