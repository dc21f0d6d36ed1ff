"""From executed notebooks to a folder that a director can open.

Everything is made in a hidden folder beside the target and put in place at once.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from cxlab.cycle import manifest as manifests
from cxlab.cycle.claims import check_claims
from cxlab.cycle.findings import read_shown, to_frame, write_findings
from cxlab.cycle.made import Made
from cxlab.cycle.pages import about, base_page, first_page
from cxlab.cycle.place import hash_tree, staging
from cxlab.cycle.plan import Plan
from cxlab.cycle.scan import check_folder, named_customers
from cxlab.report import page
from cxlab.report.finding import Card
from cxlab.report.tables import unmarked

__all__ = ["publish", "write_archive"]


def publish(
    plan: Plan, made: Sequence[Made], *, reports: Path, target: Path, run_id: str, plan_hash: str
) -> str:
    """Make the cycle's folder and put it in place.

    Parameters
    ----------
    plan : Plan
        What was run.
    made : sequence of Made
        Its chapters.
    reports : pathlib.Path
        The study's folder below the reports folder.
    target : pathlib.Path
        The cycle's folder in it.
    run_id : str
        As in the ledger.
    plan_hash : str
        Hash of everything that the folder depends on.

    Returns
    -------
    str
        sha256 of the manifest.

    Raises
    ------
    RunError
        If the folder cannot be written, holds something personal, or claims more than its
        numbers carry; the target is then as it was.
    """
    notebooks = {m.chapter.name: _notebook(m) for m in made}
    shown = [s for name, nb in notebooks.items() for s in read_shown(nb, name)]
    findings = to_frame(shown)
    previous = manifests.previous_cycle(reports, plan)
    described = manifests.manifest(
        plan,
        run_id=run_id,
        chapters=[m.record() for m in made],
        shown=shown,
        previous=previous,
        plan_hash=plan_hash,
    )
    base = base_page(plan, made, described, reports)
    with staging(target) as folder:
        write_findings(findings, folder)
        aside = pd.read_parquet(plan.snapshot.folder / "set_aside.parquet")
        # Reasons only: the rows themselves may hold what nobody may read.
        aside.drop(columns="record").to_parquet(folder / "set_aside.parquet", index=False)
        for item in made:
            context = replace(
                base,
                title=unmarked(item.chapter.title),
                name=item.chapter.name,
                about=about(plan, described, item),
            )
            text = page.render_chapter(notebooks[item.chapter.name], context=context)
            (folder / f"{item.chapter.name}.html").write_text(text, encoding="utf-8")
        first = first_page(plan, base, findings, shown, reports, described)
        (folder / "index.html").write_text(first, encoding="utf-8")
        known = named_customers(folder, plan.snapshot.folder)
        check_folder(folder, known=known, allow=plan.settings.privacy.allow)
        check_claims(folder, shown, errors=[item.error for item in made])
        return manifests.seal(folder, described, hash_tree(folder))


def write_archive(reports: Path, title: str, language: str) -> None:
    """Write the study's list of all cycles, the newest first."""
    rows = []
    for folder, read in reversed(manifests.published(reports)):
        failed = [c["title"] for c in read["chapters"] if c["state"] not in ("ok", "withheld")]
        state = f"failed: {', '.join(failed)}" if failed else f"made {read['made_at'][:10]}"
        rows.append((folder.name, f"{folder.name}/index.html", state))
    context = page.Page(
        title=f"{unmarked(title)}: all cycles",
        study=unmarked(title),
        cycle="all cycles",
        period="the newest first",
        language=language,
        listed="Cycles",
        chapters=[page.Chapter(name, name, href, "finished", state) for name, href, state in rows],
    )
    draft = reports / ".index.html"
    draft.write_text(page.render_index(context), encoding="utf-8")
    draft.replace(reports / "index.html")


def _notebook(made: Made) -> Any:
    """Read an executed notebook, or make one that says why there is none."""
    if made.notebook is not None and made.notebook.is_file():
        return nbformat.read(made.notebook, as_version=4)  # type: ignore[no-untyped-call]
    reason = made.chapter.withheld or made.error or "This run was told to leave the chapter out."
    bundle = Card(title="Not available", reason=reason)._repr_mimebundle_()
    output = {"output_type": "display_data", "data": bundle, "metadata": {}}
    code = {"cell_type": "code", "source": "", "metadata": {}, "outputs": [output]}
    head = {"cell_type": "markdown", "source": f"# {made.chapter.title}", "metadata": {}}
    cells = [{**head, "id": "title"}, {**code, "id": "reason", "execution_count": None}]
    return nbformat.from_dict(  # type: ignore[no-untyped-call]
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    )
