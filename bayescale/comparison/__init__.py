"""Several laws of the same runs.

| question | file |
|---|---|
| how well does a law predict what it has not seen? | `predictive` |
| how probable are the data under a law and its prior? | `evidence` |
| which law, and how sure is that? | `compare` |
| which explanation of a rise? | `explain` |
| where do true values rank among draws, and evenly? | `ranks` |
| how do noises of counts and of shares compare? | `units` |
| how are the answers shown? | `shown` |
"""
