"""A law and a noise as one joint density of unconstrained coordinates.

| question | file |
|---|---|
| what is sampled, and what parameters does it stand for? | `coordinates` |
| what is the density? | `model` |
| how do groups differ in a parameter? | `pooling` |
| how do rows of one run depend on each other? | `runs` |
| has a noise a location and a scale? | `located` |
| how far is the law from its rows? | `wander` |
| how likely is what lies below a detection limit? | `censored` |
| how is a table laid out in arrays? | `arrays`, its rows by `layout` |
| what does the law say at any scale? | `evaluate` |
| what does it say before the data? | `prior`, drawn by `sampling` |
"""
