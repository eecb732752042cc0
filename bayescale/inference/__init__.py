"""How a posterior is made.

| question | file |
|---|---|
| how do I fit? | `fit` |
| with which noise and pool, where none is given? | `make_model` |
| with which sampler, and which settings? | `samplers` |
| where do chains begin? | `modes`, of large models after `lbfgs` |
| how are groups sampled? | `centring` |
| how do chains move? | `nuts`, along `trajectories`, and between places `jumps` |
| what does a law say before the data? | `prior` |
| what do the first draws teach them? | `warmup` |
| what runs beside what? | `lanes` |
| what without single rows? | `leave_out` |
"""
