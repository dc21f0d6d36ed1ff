"""A quarter, end to end: plan, run, publish, index."""

import sys

# jsonschema would compile a grammar for addresses that no notebook has, for two seconds, in
# each process that reads a notebook. Where it is not there, it checks the rest.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
