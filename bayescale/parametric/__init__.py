"""A function with a prior beside each parameter: what laws and noises are.

| question | file |
|---|---|
| how does a function become a law or a noise? | `parametric` |
| how are parameters held, or given another prior? | `base` |
| what is sampled in place of a formula's constant? | `coordinates` |
| what is told of a law beside its formula, and is it so? | `facts` |
| how is a further term put before a law? | `extend` |
| how is a prior made? | `priors` |
| how is a prior said, written and kept? | `words` |
"""
