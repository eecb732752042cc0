"""The command line: the only package that prints.

| question | file |
|---|---|
| which commands ask a fit? | `commands`; several laws or conditions: `several` |
| which ask a table, or list what there is? | `tables`, `lists` |
| what are their options called, and how is each called? | `options` (`panels`), `examples` |
| what do the texts of a call stand for? | `arguments`; saved fits: `saved`; whole plans: `plans` |
| how is a command run, and which status does it end with? | `app`, `terminal` |
| how is an answer printed? | `output` |
| as JSON, as tables, as pictures? | `printed`, a package |
| what does the demo tell? | `demo` |
"""
