"""How an answer is printed: as JSON, as tables, as pictures.

| question | file |
|---|---|
| a fit and its answers, as one document? | `as_json` |
| as tables for a terminal, with health and notes? | `as_text`; how tables look: `layout` |
| which plot shows it, in which file? | `pictures` |
| what is listed of laws and data? | `catalogue` |
"""
