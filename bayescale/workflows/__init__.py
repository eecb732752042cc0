"""Fit several models, then ask.

| question | file |
|---|---|
| what will larger runs measure? | `forecast`, by `default_laws`; `fared` |
| which rows are far from all others? | `outliers` |
| how do such forecasts fare on a table's own larger runs? | `futures` |
| how did one come out? | `register` |
| what of many tasks? | `tasks` |
| how probable is each hypothesis before the data? | `hypotheses` |
| what of one, from the fits of several laws? | `task` |
| are the draws of a fit those of its posterior? | `calibrate` |
| what would a law fitted to the smaller scales have foretold? | `backtest` |
| is the jump in the metric or in the model? | `metric_or_model` |
| could such data tell laws apart? | `confusion` |
| how are the answers shown? | `shown` |
"""
