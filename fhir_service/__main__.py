"""``python -m fhir_service`` is the command line. https://docs.python.org/3/library/__main__.html"""

from __future__ import annotations

from fhir_service.cli.main import main

if __name__ == "__main__":
    main()
