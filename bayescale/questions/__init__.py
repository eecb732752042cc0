"""Questions of a posterior, or of a mixture of several.

| question | file |
|---|---|
| what does the law say at a scale, and a new run there? | `predict`, at scales of `grid` |
| what is left over? | `residuals` |
| what runs would a fit have seen in the place of the data? | `predictive` |
| along what is a curve followed? | `sweep`; its values and crossings: `curves` |
| from which scale on is a level passed? | `threshold`, told by `unlock` and `remarks` |
| which kind of curve is it? | `kind`; the definition: `kinds` |
| what differs between prompt formats? | `conditions` |
| how are loss and task related? | `relate` |
| what hangs on the prior? | `sensitivity` |
| how are the answers shown? | `shown` |
"""
