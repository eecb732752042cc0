"""Whether one recipe, data set or architecture is better than another, and by which factor.

| question | file |
|---|---|
| by which factor does one recipe need less compute? | `multiplier`, by `answer` |
| which rows are of which recipe, and what may be common to them? | `rows` |
| where do the curves of two recipes reach one loss, or accuracy? | `curves` |
| how are the answers shown? | `shown` |
"""
