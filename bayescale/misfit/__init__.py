"""Whether the data contradict a law within their own range, however well it was sampled.

patterns.py    do residuals lie together along a scale, more than noise lets them?
misfit.py      the record: what is wrong with the fit, what to do, what should be said
look.py        look at one curve: draws of the law and of new runs beside what was measured
"""
