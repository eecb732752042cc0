"""The command line: the only package that prints.

| question | file |
|---|---|
| which commands are there? | `commands`, of what there is `lists`; their options `options` |
| what do the texts of a call stand for? | `arguments`; saved fits: `saved`; whole plans: `plans` |
| how is a command run, and which status does it end with? | `app`, `terminal` |
| how is an answer printed? | `output` |
| as JSON, as tables, as pictures? | `as_json`, `as_text` (`layout`), `pictures` |
| what is listed of laws and data? | `catalogue` |
| what does the demo tell? | `demo` |
"""
