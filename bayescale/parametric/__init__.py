"""A function with a prior beside each parameter: what laws and noises are.

| question | file |
|---|---|
| how does a function become a law or a noise? | `parametric` |
| what is sampled in place of a formula's constant? | `coordinates` |
| how is a prior written? | `priors` |
"""
