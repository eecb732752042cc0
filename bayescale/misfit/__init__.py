"""Whether the data contradict a law within their own range, however well it was sampled.

| question | file |
|---|---|
| do residuals lie together along a scale, more than noise lets them? | `patterns` |
| is the largest scale worse than the smaller ones? | `largest` |
| what does one curve say against its law? | `look`, in words: `told` |
| what is wrong with a fit, and what to do? | `misfit` |
"""
